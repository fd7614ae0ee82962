// The first page of the activity is live: events of the stream come on top of the table, and the oldest rows go, so that a
// page that stays open does not grow. Everything that a caller wrote is put in as text.
(() => {
  const place = document.querySelector('#events[data-feed]');
  if (!place) return;
  const MaxRows = 200;
  const bar = document.querySelector('.feed');
  const state = document.getElementById('feed-state');
  const pause = document.getElementById('feed-pause');
  const filters = new URLSearchParams(location.search);
  const tones = { error_occurred: 'bad', server_error: 'bad', tool_called: 'good', server_started: 'good', approval: 'warn' };
  let source, unread = 0, told = 0, adding = Promise.resolve();

  function title(event) {
    const text = ui.make(event.metadata?.call_id ? 'a' : 'span', event.title);
    if (event.metadata?.call_id) text.href = 'audit?call=' + encodeURIComponent(event.metadata.call_id);
    return text;
  }

  function row(event) {
    const one = Object.assign(ui.make('tr'), { id: 'event-' + event.id });
    const time = Object.assign(ui.make('time'), { dateTime: event.created_at });
    const what = ui.make('div');
    what.append(title(event));
    if (event.description) what.append(ui.make('span', event.description, 'more'));
    const cells = [
      ['Time', time],
      ['Type', ui.make('span', event.type.replaceAll('_', ' '), `state ${tones[event.type] ?? 'idle'}`)],
      ['What happened', what],
      ['User', event.user ?? ''],
      ['Server', event.metadata?.server ?? event.server_id ?? ''],
    ];
    for (const [label, content] of cells) {
      const cell = ui.make('td');
      cell.dataset.label = label;
      cell.append(content);
      one.append(cell);
    }
    ui.localize(one);
    return one;
  }

  const newest = () => Number(place.querySelector('tbody tr')?.id.slice('event-'.length) ?? 0);

  async function add(event) {
    if (event.id <= newest()) return;
    const body = place.querySelector('tbody');
    if (!body) { // the table was empty
      await load();
      if (newest() >= event.id) unread++;
      return;
    }
    body.prepend(row(event));
    while (body.rows.length > MaxRows) body.lastElementChild.remove();
    unread++;
  }

  // What the server shows now, on the same page.
  async function load() {
    const response = await fetch(location.href, { cache: 'no-store', headers: { Accept: 'text/html' } });
    if (response.redirected) return location.reload();
    const next = new DOMParser().parseFromString(await response.text(), 'text/html');
    const events = next.getElementById('events');
    ui.localize(events);
    ui.morph(place, events);
  }

  function connect() {
    const query = new URLSearchParams([...filters].filter(([name, value]) => value && name !== 'before'));
    // From the newest row on, so that nothing is missed between the page and the stream.
    query.set('after', newest());
    source = new EventSource(new URL('api/v1/activity/stream?' + query, ui.root));
    source.onopen = () => { state.textContent = 'Live'; bar.classList.add('on'); };
    source.onerror = () => {
      bar.classList.remove('on');
      state.textContent = 'Connecting …';
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      setTimeout(() => { if (pause.getAttribute('aria-pressed') === 'false') load().then(connect, connect); }, 3000);
    };
    source.addEventListener('activity', message => {
      adding = adding.then(() => add(JSON.parse(message.data))).catch(() => {}); // one after the other
    });
  }

  pause.addEventListener('click', () => {
    const stops = pause.getAttribute('aria-pressed') === 'false';
    pause.setAttribute('aria-pressed', `${stops}`);
    pause.textContent = stops ? 'Resume' : 'Pause';
    bar.classList.toggle('on', false);
    if (stops) {
      source.close();
      state.textContent = 'Paused';
    } else load().then(connect, connect);
  });

  // Said at most every ten seconds, whatever comes.
  setInterval(() => {
    if (unread > 0 && Date.now() - told >= 10000) {
      ui.say(`${unread} new ${unread === 1 ? 'event' : 'events'}.`);
      [unread, told] = [0, Date.now()];
    }
  }, 1000);

  bar.hidden = false;
  state.textContent = 'Connecting …';
  connect();
})();
