"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const [text, line, ground] = ["--text", "--line", "--ground"].map((name) => style.getPropertyValue(name).trim());
    const axis = { gridcolor: line, linecolor: text, zerolinecolor: line };
    return {
      ...layout,
      font: { color: text, size: 13 },
      paper_bgcolor: ground,
      plot_bgcolor: ground,
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis },
    };
  }

  function visible(trace) {
    // Black on black cannot be read.
    if (!dark.matches) return trace;
    const light = (colour) => (colour === "#000000" ? "#ffffff" : colour);
    if (trace.fillcolor) return { ...trace, fillcolor: trace.fillcolor.replace("rgba(0,0,0", "rgba(255,255,255") };
    if (!trace.marker) return trace;
    return {
      ...trace,
      fillcolor: trace.fillcolor && light(trace.fillcolor),
      line: { ...trace.line, color: light(trace.line.color) },
      marker: { ...trace.marker, color: light(trace.marker.color) },
    };
  }

  function draw() {
    for (const place of document.querySelectorAll("[data-plot]")) {
      const { data, layout } = JSON.parse(document.getElementById(place.dataset.plot).textContent);
      // The legend stands below the axes and needs room of its own; a phone has one column for it.
      const named = data.filter((trace) => trace.showlegend !== false).length;
      const rows = Math.ceil(named / (place.clientWidth < 560 ? 1 : 2));
      const sized = { ...themed(layout), height: 430 + 20 * rows };
      Plotly.react(place, data.map(visible), sized, { responsive: true, displaylogo: false });
    }
  }

  function order(a, b, direction) {
    const [x, y] = [a, b].map((text) => (text !== "" && isFinite(text) ? Number(text) : text));
    if (x === "" || y === "") return (x === "") - (y === ""); // what has no value comes last
    if (typeof x === "number" && typeof y === "number") return direction * (x - y);
    return direction * String(x).localeCompare(String(y), undefined, { numeric: true });
  }

  function sortable(heading) {
    heading.querySelector("button").addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      const body = heading.closest("table").tBodies[0];
      const value = (row) => row.children[heading.cellIndex].dataset.value;
      body.append(...[...body.rows].sort((a, b) => order(value(a), value(b), direction)));
    });
  }

  function filterable(input) {
    const body = document.getElementById(input.dataset.filter);
    const count = document.querySelector(`[data-count="${input.dataset.filter}"]`);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      count.textContent = words.length ? `${shown} of ${body.rows.length} rows` : "";
    });
  }

  draw();
  dark.addEventListener("change", draw);
  document.querySelectorAll("th").forEach(sortable);
  document.querySelectorAll("[data-filter]").forEach(filterable);
})();
