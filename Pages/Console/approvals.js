// Whoever decides by keyboard goes on with the next call: a button that was pressed goes away with its call.
(() => {
  const pending = document.getElementById('pending');
  const items = () => [...pending.querySelectorAll('.calls > li')];
  let place = -1;
  pending.addEventListener('focusin', event => { place = items().indexOf(event.target.closest('li')); });
  new MutationObserver(() => {
    if (place < 0 || document.activeElement !== document.body) return;
    const next = items()[Math.min(place, items().length - 1)];
    const target = next?.querySelector('button:not([disabled])');
    if (target) target.focus();
    else if (!next) { place = -1; document.getElementById('main').focus(); }
  }).observe(pending, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] });
})();
