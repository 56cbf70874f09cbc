"use strict";
// Sorts and filters the table, fills the curves, and keeps Bokeh's colours with the theme.
// Text is only ever set as text, so nothing that a sweep holds can become markup.
(() => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const made = (tag, content = "", attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = content;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const root = document.documentElement;
  root.classList.add("script");

  // The table

  const table = one("#trials");
  const heads = all("thead th", table);
  const body = one("#trials tbody");
  const rows = all("tr[data-trial]", body);
  const cell = (row, column) => row.cells[column].textContent;
  // ">9", "1,234", "0.61 ± 0.02", "cut at 3": the first number counts
  const number = (text) => {
    const found = text.replaceAll(",", "").match(/-?(\d+\.?\d*(e[-+]?\d+)?|inf)/i);
    return found === null ? NaN : /inf/i.test(found[0]) ? Infinity : Number(found[0]);
  };
  const isNumeric = (column) =>
    rows.every((row) => cell(row, column) === "–" || /^[^a-z]*\d/i.test(cell(row, column)));

  const sort = (column) => {
    const direction = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const numeric = isNumeric(column) && !heads[column].matches(".left:not(:nth-child(2))");
    const key = (row) => (numeric ? number(cell(row, column)) : cell(row, column));
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (!numeric) return direction * x.localeCompare(y);
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return direction * (x - y || 0);
    };
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    body.append(...rows.sort(compare));
  };
  heads.forEach((head, column) => {
    const button = made("button", head.textContent, { type: "button" });
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
  });

  // Filters: a list where values are few, else a range or a part of the word

  const FEW = 12;
  const filters = [];
  const filterBy = (head, column) => {
    const label = made("label", head.textContent);
    const values = [...new Set(rows.map((row) => cell(row, column)))];
    if (values.length < 2) return;
    const numeric = isNumeric(column);
    if (values.length <= FEW) {
      values.sort((a, b) => (numeric ? number(a) - number(b) : a.localeCompare(b)));
      const select = made("select");
      select.append(made("option", "all", { value: "all" }));
      values.forEach((value, i) => select.append(made("option", value, { value: String(i) })));
      label.append(select);
      filters.push((row) => select.value === "all" || cell(row, column) === values[select.value]);
    } else if (numeric) {
      const [low, high] = ["from", "to"].map((word) =>
        made("input", "", { type: "number", step: "any", placeholder: word }));
      label.append(low, high);
      filters.push((row) => {
        const value = number(cell(row, column));
        return (low.value === "" || value >= Number(low.value)) &&
          (high.value === "" || value <= Number(high.value));
      });
    } else {
      const input = made("input", "", { type: "search", placeholder: "contains" });
      label.append(input);
      filters.push((row) => cell(row, column).toLowerCase().includes(input.value.toLowerCase()));
    }
    one("#filters").append(label);
  };
  heads.forEach((head, column) => {
    if (rows.length && (head.matches(".setting") || head.textContent === "class")) {
      filterBy(head, column);
    }
  });
  const filter = () => {
    rows.forEach((row) => { row.hidden = !filters.every((shows) => shows(row)); });
    const shown = rows.filter((row) => !row.hidden);
    one("#matching").textContent =
      shown.length === rows.length ? "" : `${shown.length} of ${rows.length} ${rows.length === 1 ? "trial matches" : "trials match"}.`;
    fade(new Set(shown.map((row) => Number(row.dataset.trial))));
  };
  one("#filters").addEventListener("input", filter);

  // The charts

  const { frontier, curves: curvesPlot } = read("plots");
  const curves = read("curves");
  const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8a8a"];
  const POINTS = ["points-ended", "points-cut"];
  const NAMES = ["baseline-names-left", "baseline-names-right"];
  const models = {};
  let chosen = [];

  const sources = () =>
    POINTS.filter((name) => models[name])
      .map((name) => models[name].data_source);
  const fade = (trials) => {
    for (const source of sources()) {
      const alpha = source.data.trial.map((trial) => (trials.has(trial) ? 0.85 : 0.06));
      source.data = { ...source.data, alpha };
    }
  };
  const draw = () => {
    one("#chosen").textContent = chosen.length
      ? chosen.map((trial) => `trial ${curves.trials[trial].name}`).join(", ") : "no trial";
    rows.forEach((row) => row.classList.toggle("chosen", chosen.includes(row.dataset.trial)));
    if (!models.curves) return;
    const shown = chosen.map((trial) => curves.trials[trial]);
    const color = chosen.map((_, i) => COLORS[i]);
    const value = (list) => list.map((item) => (item === null ? NaN : item));
    const name = shown.map((curve) => curve.name);
    models.curves.data = {
      xs: shown.map((curve) => curve.val.map((_, i) => i + 1)), train: shown.map((curve) => value(curve.train)),
      val: shown.map((curve) => value(curve.val)), color, name,
    };
    const y = shown.map((curve) => curve.val[curve.best - 1]);
    models["curve-best"].data = {
      x: shown.map((curve) => curve.best), y, color, name, score: shown.map((curve) => curve.score),
    };
  };
  const toggle = (trial) => {
    if (!(trial in curves.trials)) return;
    chosen = chosen.includes(trial) ? chosen.filter((other) => other !== trial)
      : [...chosen.slice(-(COLORS.length - 1)), trial];
    draw();
  };
  const pick = (event) => {
    const row = event.target.closest("tr[data-trial]");
    if (row) toggle(row.dataset.trial);
  };
  rows.forEach((row) => { row.tabIndex = 0; });
  body.addEventListener("click", pick);
  body.addEventListener("keydown", (event) => { if (event.key === "Enter") pick(event); });

  const isDark = () => {
    const set = root.dataset.theme;
    return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const paint = () => {
    const [ink, line] = isDark() ? ["#e4e7eb", "#353c45"] : ["#1b1f24", "#d5dae0"];
    for (const plot of [models["frontier-plot"], models["curves-plot"]]) {
      if (!plot) continue;
      for (const axis of [...plot.below, ...plot.left]) {
        axis.setv({ axis_label_text_color: ink, major_label_text_color: ink, axis_line_color: ink,
          major_tick_line_color: ink, minor_tick_line_color: null });
      }
      for (const part of plot.center) {
        if (part.type === "Grid") part.grid_line_color = line;
      }
    }
    const blue = isDark() ? "#56B4E9" : "#0072B2";
    for (const name of POINTS) {
      models[name]?.glyph.setv({ line_color: { value: blue }, fill_color: { value: blue } });
    }
    models.baselines?.glyph.setv({ line_color: { value: ink } });
    for (const name of NAMES) models[name]?.glyph.setv({ text_color: { value: ink } });
  };
  one("#theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    paint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

  const embed = async (item, id) => {
    if (!item) return;
    await Bokeh.embed.embed_item(item, id);
    for (const document of Bokeh.documents) {
      for (const name of [id, ...POINTS, "baselines", ...NAMES, "curves", "curve-best"]) {
        models[name] ??= document.get_model_by_name(name);
      }
    }
  };
  const start = async () => {
    await embed(frontier, "frontier-plot");
    await embed(curvesPlot, "curves-plot");
    for (const source of sources()) {
      source.selected.properties.indices.change.connect(() => {
        const [first] = source.selected.indices;
        if (first === undefined) return;
        toggle(String(source.data.trial[first]));
        source.selected.indices = []; // so that the next click counts, on the same point too
      });
    }
    one("#clear")?.addEventListener("click", () => { chosen = []; draw(); });
    paint();
    if (curvesPlot) {
      chosen = curves.first;
      draw();
    }
    root.dataset.ready = "yes";
  };
  start();
})();
