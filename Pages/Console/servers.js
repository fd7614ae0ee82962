// Registers and changes servers, and follows a server's log. What a server wrote is put in as text.
const lines = document.getElementById('lines');
if (lines) {
  const follow = document.getElementById('follow');
  const most = 500;
  let after;
  const toEnd = () => { if (follow.checked) lines.scrollTop = lines.scrollHeight; };
  const read = async () => {
    try {
      const answer = await ui.ask(`${lines.dataset.log}?after=${after ?? 0}`);
      if (answer.lines.length > 0) {
        const before = after === undefined || lines.textContent === '' ? [] : lines.textContent.split('\n');
        lines.textContent = [...before, ...answer.lines].slice(-most).join('\n');
        document.getElementById('no-lines').hidden = true;
        toEnd();
      }
      after = answer.next;
    } catch {
      // The part of the page with the state says that the server does not respond.
    }
  };
  const again = async () => {
    if (!document.hidden) await read();
    setTimeout(again, 2000);
  };
  toEnd();
  setTimeout(again, 1000);
}

// Sends what a form gives, and shows in it why it was refused.
function submit(form, send) {
  const wrong = form.querySelector('.wrong');
  const button = form.querySelector('.buttons button');
  form.addEventListener('submit', async event => {
    event.preventDefault();
    wrong.textContent = '';
    button.disabled = true;
    try {
      await send(new FormData(form));
    } catch (failure) {
      wrong.textContent = failure.message;
    } finally {
      button.disabled = false;
    }
  });
}

const pasted = document.getElementById('import');
if (pasted) {
  submit(pasted, async () => {
    const { servers } = await ui.ask('api/v1/servers/import', 'POST', document.getElementById('file').value);
    location.assign(servers.length === 1 ? `${servers[0].id}` : '../servers');
  });
}

// A repository with several servers is refused with the list of them; the one that is chosen is sent instead.
const repository = document.getElementById('from-github');
if (repository) {
  const candidates = document.getElementById('candidates');
  const proposed = document.getElementById('proposed');
  const offer = list => {
    candidates.replaceChildren(ui.make('legend', `The repository has ${list.length} servers. Choose one.`), ...list.map(one => {
      const choice = Object.assign(ui.make('input'), { type: 'radio', name: 'candidate', value: one.github_url, required: true });
      const label = ui.make('label');
      const text = ui.make('span', `${one.name} `);
      text.append(ui.make('code', one.url ?? [one.command, ...one.args].join(' ')));
      label.append(choice, text);
      return label;
    }));
    candidates.hidden = false;
    candidates.querySelector('input').focus();
  };
  const clear = () => { candidates.replaceChildren(ui.make('legend')); candidates.hidden = true; };
  // What to set before the start is shown, and not left behind with the page.
  const show = ({ id, name, notes }) => {
    const list = ui.make('ul');
    list.append(...notes.map(note => ui.make('li', note)));
    const edit = Object.assign(ui.make('a', `Edit ${name}`), { href: `${id}/edit` });
    proposed.replaceChildren(ui.make('p', `${name} was registered, and is not started. Before its start:`), list, edit);
    proposed.hidden = false;
    clear();
    repository.reset();
    proposed.focus();
  };
  repository.elements.github_url.addEventListener('input', clear);
  submit(repository, async fields => {
    const body = { github_url: fields.get('candidate') ?? fields.get('github_url').trim() };
    if (fields.get('name')) body.name = fields.get('name');
    try {
      const created = await ui.ask('api/v1/servers/from-github', 'POST', body);
      if (created.notes.length === 0) location.assign(`${created.id}`);
      else show(created);
    } catch (refused) {
      if (!refused.answer?.candidates) throw refused;
      offer(refused.answer.candidates);
    }
  });
}

// The form of a definition. What is sent to change one is only what differs from what the form came with.
const definition = document.querySelector('#register, #change');
if (definition) {
  const list = text => text.split('\n').map(line => line.trim()).filter(line => line !== '');
  const args = text => {
    try {
      const array = JSON.parse(text);
      if (Array.isArray(array)) return array;
    } catch { /* lines, as most are */ }
    return list(text);
  };
  const variables = text => Object.fromEntries(list(text).map(line => {
    const at = line.indexOf('=');
    if (at < 1) throw new Error('Write each variable as NAME=value, one to a line.');
    return [line.slice(0, at), line.slice(at + 1)];
  }));
  const elements = definition.elements;
  const show = () => {
    for (const part of definition.querySelectorAll('[data-kind]')) {
      part.hidden = part.disabled = part.dataset.kind !== elements.kind.value;
    }
    for (const part of definition.querySelectorAll('[data-auth]')) {
      part.hidden = !part.dataset.auth.split(' ').includes(elements.auth_type.value);
      for (const input of part.querySelectorAll('input')) input.disabled = part.hidden;
    }
    elements.url.required = elements.kind.value === 'url' && elements.port.value === '';
  };
  // Fields that are not shown are disabled, and count as empty.
  const read = fields => {
    const text = name => fields.get(name) || null;
    const number = name => text(name) === null ? null : Number(text(name));
    return {
      name: text('name'),
      description: text('description'),
      github_url: text('github_url'),
      transport_type: text('transport_type') ?? 'stdio',
      command: text('command'),
      args: args(fields.get('args') ?? ''),
      env: variables(fields.get('env') ?? ''),
      url: text('url'),
      host: text('host'),
      port: number('port'),
      auth_type: text('auth_type') ?? 'none',
      auth_config: Object.fromEntries([...fields]
        .filter(([name, value]) => name.startsWith('auth_config.') && value !== '')
        .map(([name, value]) => [name.slice('auth_config.'.length), value])),
      risk: text('risk'),
      names: text('names'),
      auto_restart: fields.has('auto_restart'),
      max_restarts: number('max_restarts'),
      health_check_interval: number('health_check_interval'),
    };
  };
  const path = definition.dataset.path;
  definition.addEventListener('input', show);
  show();
  const before = path ? read(new FormData(definition)) : {};
  submit(definition, async fields => {
    const same = (name, value) => path ? JSON.stringify(before[name]) === JSON.stringify(value) : value === null;
    const body = Object.fromEntries(Object.entries(read(fields)).filter(([name, value]) => !same(name, value)));
    if (path && Object.keys(body).length === 0) throw new Error('Nothing was changed.');
    const { id } = await ui.ask(path ?? 'api/v1/servers', path ? 'PUT' : 'POST', body);
    location.assign(path ? `../${id}` : `${id}`);
  });
}
