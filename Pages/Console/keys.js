// Creates an API key and shows it once. It is taken off the page with the dialog.
const create = document.getElementById('create');
if (create) {
  const wrong = create.querySelector('.wrong');
  const button = create.querySelector('.buttons button');
  const created = document.getElementById('created');
  const key = document.getElementById('key');
  const copy = created.querySelector('[data-copy]');

  create.addEventListener('submit', async event => {
    event.preventDefault();
    const fields = new FormData(create);
    const days = Number(fields.get('expires'));
    wrong.textContent = '';
    button.disabled = true;
    try {
      const answer = await ui.ask('api/v1/keys', 'POST', {
        name: fields.get('name'),
        permissions: fields.getAll('permissions'),
        expires_at: days > 0 ? new Date(Date.now() + days * 86400000).toISOString() : null,
      });
      key.textContent = copy.dataset.copy = answer.api_key;
      create.reset();
      created.showModal();
      await ui.refresh();
    } catch (failure) {
      wrong.textContent = failure.message;
    } finally {
      button.disabled = false;
    }
  });

  created.addEventListener('close', () => {
    key.textContent = copy.dataset.copy = '';
    ui.say('The key was created.');
  });
}
