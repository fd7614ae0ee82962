// What waits, asked for every three seconds while the page is seen. At the end of the session the page is loaded again,
// which leads to the sign-in. Everything that a caller wrote is put in as text.
const state = document.getElementById('state');
const list = document.getElementById('calls');
const said = document.getElementById('said');
const items = new Map();

const make = (name, text, of = '') => Object.assign(document.createElement(name), { textContent: text, className: of });
const time = text => new Date(text).toLocaleTimeString([], { hour12: false });
const tell = (text, wrong = false) => { state.textContent = text; state.className = wrong ? 'wrong' : ''; };

async function ask(path, method = 'GET') {
  const headers = method === 'POST' ? { 'Content-Type': 'application/json' } : {};
  const response = await fetch('api/v1/approvals' + path, { method, headers, body: method === 'POST' ? '{}' : undefined, cache: 'no-store' });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail ?? 'The server answered ' + response.status), { status: response.status });
  return body;
}

function item(call) {
  const one = document.createElement('li');
  const title = make('h3', '');
  title.append(make('code', call.tool), ` · risk ${call.level.toLowerCase()} · ${call.effect}`);
  title.id = 'call-' + call.id;
  const person = call.name ? `${call.name} (${call.subject})` : call.subject;
  const who = person + (call.client ? ` with ${call.client}` : '') + (call.address ? ` from ${call.address}` : '');
  const buttons = make('div', '', 'decide');
  for (const [word, path] of [['Approve', 'approve'], ['Deny', 'deny']]) {
    const button = make('button', word, path);
    button.type = 'button';
    button.setAttribute('aria-describedby', title.id);
    button.disabled = path === 'approve' && call.why_not !== null; // one does not approve one's own request
    button.addEventListener('click', () => decide(call, path, buttons));
    buttons.append(button);
  }
  one.append(title, make('p', `Requested by ${who} at ${time(call.asked)}; expires at ${time(call.expires)}`));
  one.append(make('pre', call.shown));
  if (call.preview) one.append(make('p', 'It would do this:'), make('pre', call.preview, 'preview'));
  if (call.why_not) one.append(make('p', call.why_not));
  one.append(buttons);
  return one;
}

async function decide(call, path, buttons) {
  for (const button of buttons.children) button.disabled = true;
  try {
    const { status } = await ask(`/${call.id}/${path}`, 'POST');
    said.textContent = `The call of ${call.tool} was ${status}.`;
    await show();
  } catch (failure) {
    await show();
    said.textContent = failure.message;
    if (!buttons.previousElementSibling.matches('.wrong')) buttons.before(make('p', '', 'wrong'));
    buttons.previousElementSibling.textContent = failure.message;
    for (const button of buttons.children) button.disabled = button.className === 'approve' && call.why_not !== null;
  }
}

async function show() {
  try {
    const { approvals } = await ask('');
    tell(approvals.length ? '' : 'No pending approvals. This page refreshes automatically.');
    // What stays is left alone: whoever is about to press a button keeps it.
    for (const [id, one] of items) {
      if (!approvals.some(call => call.id === id)) {
        one.remove();
        items.delete(id);
      }
    }
    for (const call of approvals.filter(call => !items.has(call.id))) {
      items.set(call.id, item(call));
      list.append(items.get(call.id));
    }
  } catch (failure) {
    tell(failure.status ? failure.message : 'The server does not respond. This page retries automatically.', true);
    if (failure.status === 401) location.reload();
  }
}

tell('Loading …');
show();
setInterval(() => { if (!document.hidden) show(); }, 3000);
