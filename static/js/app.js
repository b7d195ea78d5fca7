/* Small behaviours by data attribute: theme, menu, copy, tabs, select all, live messages, failed requests. */
(function () {
  "use strict";
  const root = document.documentElement;

  function announce(text) {
    const region = document.getElementById("live-region");
    if (region) region.textContent = text;
  }

  function toast(text) {
    const box = document.getElementById("toasts");
    if (!box) return;
    const note = document.createElement("div");
    note.className = "toast-note";
    note.textContent = text;
    box.append(note);
    announce(text);
    setTimeout(() => note.remove(), 8000);
  }

  function labelTheme() {
    document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      button.setAttribute("aria-label", "Switch to " + next + " theme");
      button.title = "Switch to " + next + " theme";
    });
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const text = "value" in source ? source.value : source.textContent;
    try {
      await navigator.clipboard.writeText(text.trim());
      button.textContent = "Copied";
      announce("Copied to the clipboard.");
      setTimeout(() => (button.textContent = button.dataset.label || "Copy"), 2000);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      toast("The browser refused to copy; the text is selected, press Ctrl+C.");
    }
  }

  function selectTab(tab) {
    const list = tab.closest("[role=tablist]");
    list.querySelectorAll("[role=tab]").forEach((other) => {
      const isChosen = other === tab;
      other.setAttribute("aria-selected", String(isChosen));
      other.tabIndex = isChosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !isChosen;
    });
  }

  function toggleMenu(button) {
    const body = document.getElementById(button.getAttribute("aria-controls"));
    const isOpen = body.toggleAttribute("data-closed") === false;
    button.setAttribute("aria-expanded", String(isOpen));
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const theme = target.closest("[data-theme-toggle]");
    if (theme) window.setTheme(root.dataset.bsTheme === "dark" ? "light" : "dark");
    const copier = target.closest("[data-copy]");
    if (copier) copy(copier);
    const tab = target.closest("[role=tab]");
    if (tab) selectTab(tab);
    const menu = target.closest("[data-menu-toggle]");
    if (menu) toggleMenu(menu);
  });

  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-select-all]");
    if (!all) return;
    document.querySelectorAll('input[name="' + all.dataset.selectAll + '"]').forEach((box) => (box.checked = all.checked));
  });

  document.addEventListener("keydown", (event) => {
    const tab = event.target instanceof Element && event.target.closest("[role=tab]");
    if (!tab || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const index = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : (tabs.indexOf(tab) + step + tabs.length) % tabs.length;
    event.preventDefault();
    selectTab(tabs[index]);
    tabs[index].focus();
  });

  document.addEventListener("themechange", labelTheme);
  document.addEventListener("DOMContentLoaded", labelTheme);

  /* The server says what to read aloud through the HX-Trigger header. */
  document.addEventListener("announce", (event) => announce(event.detail.value));

  /* Addresses stay short: what is empty or a default is not in them. */
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get" || !event.detail.elt.matches("form")) return;
    const defaults = JSON.parse(event.detail.elt.dataset.defaults || "{}");
    for (const [name, value] of [...event.detail.formData.entries()]) {
      if (value === "" || value === defaults[name]) event.detail.formData.delete(name);
    }
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target && event.detail.target.id === "page") announce("The page was updated.");
  });

  /* A list that somebody is ticking is not exchanged under their hands. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const list = event.detail.elt;
    if (list.hasAttribute("data-keep-ticked") && list.querySelector("input[type=checkbox]:checked")) event.preventDefault();
  });

  function failed(event, text) {
    const target = event.detail.target;
    const skeleton = target && target.querySelector(".skeleton");
    if (skeleton) skeleton.textContent = text;
    else toast(text);
  }
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    failed(event, status === 403 ? "You are signed out: reload the page and sign in." : "This part could not be loaded (HTTP " + status + "). Reload the page.");
  });
  document.addEventListener("htmx:sendError", (event) => failed(event, "The server can not be reached; trying again shortly."));
})();
