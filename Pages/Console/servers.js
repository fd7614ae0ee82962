// Registers servers, and follows a server's log. What a server wrote is put in as text.
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

const register = document.getElementById('register');
if (register) {
  const list = text => text.split('\n').map(line => line.trim()).filter(line => line !== '');
  const show = () => {
    for (const part of register.querySelectorAll('[data-kind]')) {
      part.hidden = part.disabled = part.dataset.kind !== register.elements.kind.value;
    }
    for (const part of register.querySelectorAll('[data-auth]')) {
      part.hidden = !part.dataset.auth.split(' ').includes(register.elements.auth_type.value);
    }
    register.elements.url.required = register.elements.kind.value === 'url';
  };
  const variables = text => Object.fromEntries(list(text).map(line => {
    const at = line.indexOf('=');
    if (at < 1) throw new Error('Write each variable as NAME=value, one to a line.');
    return [line.slice(0, at), line.slice(at + 1)];
  }));
  const credentials = fields => ({
    bearer: { token: fields.get('secret') },
    api_key: { api_key: fields.get('secret'), ...(fields.get('header') ? { header: fields.get('header') } : {}) },
    per_caller: { ...(fields.get('secret') ? { token: fields.get('secret') } : {}), ...(fields.get('header') ? { header: fields.get('header') } : {}) },
  })[fields.get('auth_type')] ?? {};

  register.addEventListener('change', show);
  show();
  submit(register, async fields => {
    const body = { name: fields.get('name'), auto_restart: fields.get('auto_restart') !== null };
    if (fields.get('description')) body.description = fields.get('description');
    if (fields.get('risk')) body.risk = fields.get('risk');
    if (fields.get('kind') === 'command') {
      Object.assign(body, { transport_type: 'stdio', command: fields.get('command'), args: list(fields.get('args')), env: variables(fields.get('env')) });
    } else {
      Object.assign(body, { transport_type: fields.get('transport_type'), url: fields.get('url'), auth_type: fields.get('auth_type'), auth_config: credentials(fields) });
    }
    location.assign(`${(await ui.ask('api/v1/servers', 'POST', body)).id}`);
  });
}
