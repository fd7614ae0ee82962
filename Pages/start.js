// Copy buttons. A browser offers its clipboard only to https and to this machine; elsewhere the address is selected by hand.
if (navigator.clipboard) {
  const said = document.getElementById('said');
  const copy = async button => {
    const what = button.dataset.what ?? `the address for ${button.getAttribute('aria-label').replace('Copy: ', '')}`;
    let words;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = 'Copied';
      words = `Copied ${what}.`;
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    } catch {
      words = `The browser did not allow copying. Select ${what} and copy it by hand.`;
    }
    // The same words twice are read out twice only if they went away between.
    said.textContent = '';
    requestAnimationFrame(() => { said.textContent = words; });
  };

  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', () => copy(button));
  }
}
