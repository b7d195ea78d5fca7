/* Labelling by keyboard: a key presses the button that shows it, and the next message takes the focus. */
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
  /* The button that had it is gone. From here Tab leads to the answers, and a screen reader reads the message. */
  document.addEventListener("htmx:afterSettle", () => {
    const next = document.querySelector("#page .labelling__said, #page .empty a");
    if (next && document.activeElement === document.body) next.focus();
  });
})();
