/* Runs before the first paint: sets the theme that was chosen, else the system's. */
(function () {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      const stored = localStorage.getItem("theme");
      return stored === "light" || stored === "dark" ? stored : null;
    } catch {
      return null;
    }
  }

  function apply() {
    const theme = chosen() || (system.matches ? "dark" : "light");
    if (root.dataset.bsTheme === theme) return;
    root.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  }

  window.setTheme = function (theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      /* A browser that keeps nothing still shows the theme until the next page. */
    }
    root.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  };

  root.classList.add("has-js");
  system.addEventListener("change", apply);
  apply();
})();
