// The tooltip of charts: the pointer shows the point that it is over; the arrow keys, Home and End move along a chart that
// has the focus. The texts are those that the server wrote.
(() => {
  const tip = ui.make('p', '', 'tip');
  tip.setAttribute('role', 'status');
  document.body.append(tip);
  let shown = null;

  function show(point) {
    shown?.classList.remove('at');
    shown = point;
    tip.textContent = point?.dataset.tip ?? '';
    if (!point) return;
    point.classList.add('at');
    const box = point.getBoundingClientRect();
    const middle = box.left + box.width / 2;
    const left = middle > innerWidth / 2 ? middle - tip.offsetWidth - 10 : middle + 10;
    tip.style.setProperty('left', `${scrollX + left}px`);
    tip.style.setProperty('top', `${scrollY + box.top + 10}px`);
  }

  const steps = {
    ArrowLeft: (at, last) => at < 0 ? last : Math.max(0, at - 1),
    ArrowRight: (at, last) => Math.min(last, at + 1),
    Home: () => 0,
    End: (at, last) => last,
  };

  document.addEventListener('keydown', event => {
    const plot = document.activeElement;
    if (!plot?.matches('.plot')) return;
    if (event.key === 'Escape') show(null);
    const points = [...plot.querySelectorAll('.point')];
    if (!steps[event.key] || points.length === 0) return;
    event.preventDefault();
    show(points[steps[event.key](points.indexOf(shown), points.length - 1)]);
  });
  document.addEventListener('focusout', event => { if (event.target.matches('.plot')) show(null); });
  document.addEventListener('pointerover', event => {
    if (event.target.matches('.point')) show(event.target);
    else if (shown && !document.activeElement?.matches('.plot')) show(null);
  });
})();
