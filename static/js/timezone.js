/* Proposes the browser's time zone where a form asks for one and nobody has chosen yet. */
(function () {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.querySelectorAll("[data-browser-timezone]").forEach((field) => {
    if (zone && field.value === field.defaultValue && field.value === "UTC") field.value = zone;
  });
})();
