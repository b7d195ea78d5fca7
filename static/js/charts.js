/* Draws every <canvas data-chart="id">: the id names a json_script element with what the server computed.
   Nothing is computed here but geometry; texts, units and values come formatted from the server. */
(function () {
  "use strict";
  const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]];
  const MARKS = ["circle", "rect", "triangle", "rectRot", "cross", "star"];
  const drawn = new Map();
  const openTables = new Set();

  /* light-dark() resolves only on a real property, so colours are read off a probe. */
  function palette() {
    const probe = document.createElement("span");
    document.body.append(probe);
    const read = (name) => {
      probe.style.color = "var(--" + name + ")";
      return getComputedStyle(probe).color;
    };
    const colours = {
      series: [1, 2, 3, 4, 5, 6].map((number) => read("chart-" + number)),
      grid: read("chart-grid"), target: read("chart-target"), limit: read("bad"), text: read("muted"), surface: read("surface"), strong: read("text"),
    };
    probe.remove();
    return colours;
  }

  function faded(colour, alpha) {
    const parts = colour.match(/[\d.]+/g).slice(0, 3);
    return "rgba(" + parts.join(",") + "," + alpha + ")";
  }

  function hatch(colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 1.25;
    pen.beginPath();
    pen.moveTo(0, 6);
    pen.lineTo(6, 0);
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  const AXIS = {
    ratio: (value) => +(value * 100).toFixed(2) + " %",
    ms: (value) => (value >= 1000 ? +(value / 1000).toFixed(2) + " s" : value + " ms"),
    usd: (value) => (value < 0 ? "−$" : "$") + Math.abs(value).toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2 }),
  };
  const plainAxis = (value) => (Math.abs(value) >= 10000 ? value.toLocaleString("en", { notation: "compact" }) : +value.toFixed(4));

  function dataset(series, index, data, colours) {
    const colour = colours.series[index % colours.series.length];
    const isProvisional = (at) => Boolean(data.provisional[at]);
    const isLone = (at) => series.values[at] !== null && (series.values[at - 1] ?? null) === null && (series.values[at + 1] ?? null) === null;
    if (data.kind === "bar") {
      return {
        label: series.name, data: series.values, borderColor: colour, borderWidth: (at) => (isProvisional(at.dataIndex) ? 1 : 0),
        backgroundColor: (at) => (isProvisional(at.dataIndex) ? hatch(colour) : faded(colour, 0.75)), maxBarThickness: 28,
      };
    }
    return {
      label: series.name, data: series.values, borderColor: colour, borderWidth: 1.75, spanGaps: false, tension: 0,
      borderDash: series.is_previous ? [4, 4] : DASHES[index % DASHES.length],
      backgroundColor: faded(colour, 0.08), fill: data.series.length === 1,
      pointStyle: MARKS[index % MARKS.length], pointHoverRadius: 4,
      pointRadius: (at) => (isProvisional(at.dataIndex) || isLone(at.dataIndex) ? 3 : 0),
      pointBackgroundColor: (at) => (isProvisional(at.dataIndex) ? colours.surface : colour),
      segment: { borderDash: (at) => (isProvisional(at.p1DataIndex) ? [2, 4] : undefined) },
    };
  }

  function annotations(data, colours) {
    return Object.fromEntries(data.lines.map((line, index) => ["line" + index, {
      type: "line", yMin: line.value, yMax: line.value, borderWidth: 1, borderDash: line.is_limit ? [1, 3] : [4, 4],
      borderColor: line.is_limit ? colours.limit : colours.target,
      label: {
        display: true, content: line.label, position: line.is_limit ? "end" : "start", yAdjust: -9, padding: { x: 2, y: 0 },
        backgroundColor: faded(colours.surface, 0.75), color: colours.text, font: { size: 11, weight: "normal" },
      },
    }]));
  }

  /* The sessions behind a point; its row in the table has the same link. */
  function pathAt(data, element) {
    return element ? data.series[element.datasetIndex].paths[element.index] : "";
  }

  function options(data, colours) {
    return {
      onClick: (event, elements, chart) => {
        const path = pathAt(data, chart.getElementsAtEventForMode(event, "nearest", { intersect: false, axis: "xy" }, true)[0]);
        if (path) location.assign(path);
      },
      onHover: (event, elements) => (event.native.target.style.cursor = pathAt(data, elements[0]) ? "pointer" : "default"),
      animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 10 } },
      scales: {
        x: { grid: { display: false }, border: { color: colours.grid }, ticks: { color: colours.text, maxRotation: 0, autoSkipPadding: 20, font: { size: 11 } } },
        y: {
          beginAtZero: true, suggestedMax: data.lines.length ? Math.max(...data.lines.map((line) => line.value)) * 1.1 : undefined, border: { display: false },
          grid: { color: colours.grid }, ticks: { color: colours.text, maxTicksLimit: 5, font: { size: 11 }, callback: AXIS[data.unit] || plainAxis },
        },
      },
      plugins: {
        legend: { display: false }, annotation: { annotations: annotations(data, colours) },
        tooltip: {
          backgroundColor: colours.strong, titleColor: colours.surface, bodyColor: colours.surface, displayColors: data.series.length > 1, boxPadding: 4,
          callbacks: {
            title: (items) => data.titles[items[0].dataIndex] + (data.provisional[items[0].dataIndex] ? " (so far)" : ""),
            label: (item) => (data.series.length > 1 ? item.dataset.label + ": " : "") + data.series[item.datasetIndex].texts[item.dataIndex],
          },
        },
      },
    };
  }

  function drawLegend(canvas, chart, colours) {
    const box = canvas.closest("figure")?.querySelector("[data-legend]");
    if (!box || chart.data.datasets.length < 2) return;
    box.replaceChildren(...chart.data.datasets.map((set, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(chart.isDatasetVisible(index)));
      const swatch = document.createElement("i");
      swatch.style.backgroundColor = colours.series[index % colours.series.length];
      button.append(swatch, set.label);
      button.addEventListener("click", () => {
        chart.setDatasetVisibility(index, !chart.isDatasetVisible(index));
        button.setAttribute("aria-pressed", String(chart.isDatasetVisible(index)));
        chart.update();
      });
      return button;
    }));
  }

  function draw(canvas) {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source || typeof Chart === "undefined") return;
    const data = JSON.parse(source.textContent);
    const colours = palette();
    drawn.get(canvas)?.destroy();
    const chart = new Chart(canvas, {
      type: data.kind === "bar" ? "bar" : "line",
      data: { labels: data.labels, datasets: data.series.map((series, index) => dataset(series, index, data, colours)) },
      options: options(data, colours),
    });
    drawn.set(canvas, chart);
    drawLegend(canvas, chart, colours);
  }

  function forgetRemoved() {
    for (const [canvas, chart] of drawn) {
      if (canvas.isConnected) continue;
      chart.destroy();
      drawn.delete(canvas);
    }
  }

  function showTable(button, isOpen) {
    const figure = button.closest("figure");
    figure.querySelector(".chart__table").hidden = !isOpen;
    figure.querySelector(".chart__canvas").hidden = isOpen;
    button.setAttribute("aria-pressed", String(isOpen));
    button.textContent = isOpen ? "View as chart" : "View as table";
    const legend = figure.querySelector("[data-legend]");
    if (legend) legend.hidden = isOpen;
  }

  function prepare(within) {
    forgetRemoved();
    within.querySelectorAll("[data-table-toggle]").forEach((button) => {
      if (openTables.has(button.dataset.tableToggle)) showTable(button, true);
    });
    within.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-table-toggle]");
    if (!button) return;
    const isOpen = button.getAttribute("aria-pressed") !== "true";
    openTables[isOpen ? "add" : "delete"](button.dataset.tableToggle);
    showTable(button, isOpen);
  });
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  document.addEventListener("themechange", () => [...drawn.keys()].filter((canvas) => canvas.isConnected).forEach(draw));
  if (typeof htmx === "undefined") document.addEventListener("DOMContentLoaded", () => prepare(document));
})();
