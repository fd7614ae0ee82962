// The form of a tool: its fields as one JSON object to the tool's route for operators. A call that needs a confirmation is
// shown first, and made when the operator agrees.
(() => {
  const form = document.getElementById('try');
  const place = document.getElementById('result');
  if (!form) return;

  // The arguments by name, each as JSON: numbers keep digits that JavaScript would lose.
  function read(dryRun) {
    const values = {};
    for (const field of form.querySelectorAll('[data-kind]')) {
      if (field.value === '' && !(field.required && field.dataset.kind === 'text')) continue;
      values[field.name] = field.dataset.kind === 'text' ? JSON.stringify(field.value) : field.value;
      try {
        JSON.parse(values[field.name]);
      } catch {
        field.setCustomValidity('This is not JSON. Write for example ["a", "b"] or {"name": 1}.');
        field.reportValidity();
        return null;
      }
    }
    if (dryRun) values.dry_run = 'true';
    return values;
  }

  const write = values => `{${Object.entries(values).map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
  const isPreview = answer => /^(dry_run|confirmation_required|approval_required)$/.test(answer.status) && 'risk' in answer && 'effect' in answer;

  function show(tone, word, text, ...more) {
    const line = ui.make('p');
    line.append(ui.make('span', word, `state ${tone}`), ' ', text);
    place.replaceChildren(line, ...more);
  }

  const pre = value => Object.assign(ui.make('pre', typeof value === 'string' ? value : JSON.stringify(value, null, 2), 'text'), { tabIndex: 0 });

  function ask(answer, values) {
    if (answer.status === 'dry_run') return show('idle', 'dry run', 'Nothing was done. The call would do this:', pre(answer.preview ?? answer.arguments));
    const buttons = ui.make('div', '', 'buttons');
    if (answer.status === 'approval_required') {
      const link = Object.assign(ui.make('a', 'Approvals'), { href: 'approvals' });
      const again = Object.assign(ui.make('button', 'Call again after the approval'), { type: 'button' });
      again.addEventListener('click', () => send({ ...values, confirmation_token: JSON.stringify(answer.confirmation_token) }));
      buttons.append(again, link);
      return show('warn', 'pending', 'Somebody else must approve this call.', pre(answer.preview ?? answer.arguments), buttons);
    }
    const yes = Object.assign(ui.make('button', 'Confirm and call', 'harmful'), { type: 'button' });
    const no = Object.assign(ui.make('button', 'Cancel', 'plain'), { type: 'button' });
    yes.addEventListener('click', () => send({ ...values, confirmation_token: JSON.stringify(answer.confirmation_token) }));
    no.addEventListener('click', () => show('idle', 'cancelled', 'Nothing was done.'));
    buttons.append(yes, no);
    show('warn', 'confirm', 'Nothing was done yet. The call would do this:', pre(answer.preview ?? answer.arguments), buttons);
    yes.focus();
  }

  async function send(values) {
    for (const button of form.querySelectorAll('button')) button.disabled = true;
    const started = performance.now();
    show('busy', 'running', 'The call is under way …');
    try {
      const answer = await ui.ask(form.dataset.path, 'POST', write(values));
      if (isPreview(answer)) ask(answer, values);
      else show('good', 'ok', `Answered in ${Math.round(performance.now() - started)} ms.`, pre(answer));
    } catch (failure) {
      show('bad', failure.answer?.title ?? 'failed', failure.message);
    } finally {
      for (const button of form.querySelectorAll('button')) button.disabled = false;
    }
  }

  form.addEventListener('submit', async event => {
    event.preventDefault();
    const isDry = event.submitter?.name === 'dry_run';
    const values = read(isDry);
    if (!values) return;
    const harmful = form.hasAttribute('data-harmful') && !isDry;
    const question = 'What this call does cannot be undone.';
    if (harmful && !await ui.confirm(`Call ${form.dataset.tool}?`, question, 'Call', true)) return;
    await send(values);
  });
  form.addEventListener('input', event => event.target.setCustomValidity?.(''));
})();
