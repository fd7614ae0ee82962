// Verifying the chain, with the result as a sentence; and printing.
(() => {
  document.getElementById('print')?.addEventListener('click', () => print());
  const button = document.getElementById('verify');
  const verdict = document.getElementById('verdict');
  button?.addEventListener('click', async () => {
    button.disabled = true;
    verdict.hidden = false;
    verdict.className = 'note';
    verdict.textContent = 'Verifying every entry …';
    try {
      const answer = await ui.ask('api/v1/audit/verify', 'POST');
      verdict.textContent = answer.message;
      verdict.classList.add(answer.intact ? 'good' : 'bad');
    } catch (failure) {
      verdict.textContent = failure.message;
      verdict.classList.add('bad');
    } finally {
      button.disabled = false;
      button.focus();
    }
  });
})();
