/* Labelling by keyboard: a key presses the button that shows it. */
(function () {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !/^[a-z]$/.test(event.key)) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea")) return;
    const button = document.querySelector('[data-press="' + event.key + '"]:not(:disabled)');
    if (!button || document.querySelector("#page .htmx-request")) return;
    event.preventDefault();
    button.click();
  });
})();
