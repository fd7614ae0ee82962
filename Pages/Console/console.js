// What the pages of the console share: requests with the operator's session, the status line, dialogs, buttons that act,
// and parts that are kept up to date. Scripts of single pages use it as `ui`.
const ui = (() => {
  const root = new URL('..', document.currentScript.src);
  const said = document.getElementById('said');

  const make = (name, text = '', of = '') => Object.assign(document.createElement(name), { textContent: text, className: of });

  // The same words twice are read out twice only if they went away between.
  function say(text, wrong = false) {
    said.textContent = '';
    requestAnimationFrame(() => { said.textContent = text; said.className = wrong ? 'wrong' : ''; });
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { said.textContent = ''; }, 15000);
  }

  // A request to a route of the API. When the session has ended the page is loaded again, which leads to the sign-in.
  async function ask(path, method = 'GET', body = undefined) {
    const response = await fetch(new URL(path, root), {
      method,
      cache: 'no-store',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    if (response.status === 401) location.reload();
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      const why = answer.detail ?? `The server answered with status ${response.status}.`;
      throw Object.assign(new Error(why), { status: response.status, answer });
    }
    return answer;
  }

  // Asks in a dialog. Resolves to true or false; Escape is no.
  function confirm(title, text, yes = 'Continue', harmful = false) {
    const dialog = make('dialog');
    const form = Object.assign(make('form'), { method: 'dialog' });
    const heading = Object.assign(make('h2', title), { id: 'dialog-title' });
    const buttons = make('div', '', 'buttons');
    const no = Object.assign(make('button', 'Cancel', 'plain'), { value: '' });
    buttons.append(no, Object.assign(make('button', yes, harmful ? 'harmful' : ''), { value: 'yes' }));
    dialog.setAttribute('aria-labelledby', heading.id);
    form.append(heading, make('p', text), buttons);
    dialog.append(form);
    document.body.append(dialog);
    return new Promise(resolve => {
      dialog.addEventListener('close', () => { dialog.remove(); resolve(dialog.returnValue === 'yes'); });
      dialog.showModal();
      no.focus();
    });
  }

  // <button data-path="api/v1/…" data-method="POST" data-done="…" data-confirm="…" data-then="…">
  async function act(button) {
    const { path, method = 'POST', body, done = 'Done.', then, title = button.textContent } = button.dataset;
    if (button.dataset.confirm && !await confirm(title, button.dataset.confirm, button.textContent, button.matches('.harmful'))) return;
    button.setAttribute('aria-busy', 'true');
    button.disabled = true;
    try {
      await ask(path, method, body);
      if (then) return location.assign(then);
      say(done);
    } catch (failure) {
      say(failure.message, true);
    } finally {
      button.removeAttribute('aria-busy');
      button.disabled = false;
    }
    await refresh();
  }

  document.addEventListener('click', event => {
    const button = event.target.closest('button[data-path]');
    if (button && !button.disabled) act(button);
  });

  // Times in the reader's own time zone.
  function localize(part) {
    for (const time of part.querySelectorAll('time[datetime]')) {
      const at = new Date(time.dateTime);
      time.textContent = at.toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
      time.title = time.dateTime;
    }
  }

  // Makes one element equal to another and leaves alone what is the same: whoever is about to press a button keeps it.
  function morph(now, next) {
    if (now.isEqualNode(next)) return;
    if (now.nodeName !== next.nodeName || now.id !== next.id) return now.replaceWith(next);
    if (now.nodeType !== Node.ELEMENT_NODE) { now.data = next.data; return; }
    const mine = name => name === 'open' || name === 'aria-busy' || name === 'hidden' && now.matches('[data-copy]');
    for (const { name } of [...now.attributes]) if (!next.hasAttribute(name) && !mine(name)) now.removeAttribute(name);
    for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value && !mine(name)) now.setAttribute(name, value);
    let at = now.firstChild;
    for (const child of [...next.childNodes]) {
      const same = child.id && [...now.children].find(one => one.id === child.id);
      if (same) {
        if (same === at) at = at.nextSibling;
        else now.insertBefore(same, at);
        morph(same, child);
      } else if (at && !at.id) {
        const after = at.nextSibling;
        morph(at, child);
        at = after;
      } else now.insertBefore(child, at);
    }
    while (at) {
      const after = at.nextSibling;
      at.remove();
      at = after;
    }
  }

  // <section id="…" data-live="3000"> is what the server shows, again after so many milliseconds while the page is seen.
  const live = () => [...document.querySelectorAll('[data-live][id]')];
  async function refresh() {
    if (live().length === 0) return;
    try {
      const response = await fetch(location.href, { cache: 'no-store', headers: { Accept: 'text/html' } });
      if (response.redirected) return location.reload(); // the session has ended
      const next = new DOMParser().parseFromString(await response.text(), 'text/html');
      localize(next);
      for (const part of live()) {
        const other = next.getElementById(part.id);
        if (other) morph(part, other);
      }
      if (said.dataset.lost) { delete said.dataset.lost; say('The server responds again.'); }
    } catch {
      if (!said.dataset.lost) say('The server does not respond. This page retries automatically.', true);
      said.dataset.lost = 'yes';
    }
  }

  localize(document);
  const pause = Math.min(...live().map(part => Number(part.dataset.live)));
  if (Number.isFinite(pause)) {
    const again = async () => {
      if (!document.hidden && !document.querySelector('dialog[open]')) await refresh();
      setTimeout(again, pause);
    };
    setTimeout(again, pause);
  }

  return { root, make, say, ask, confirm, refresh, localize, morph };
})();
