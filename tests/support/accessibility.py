"""Laws of accessible pages, looked for in a browser: what is wrong with a page, in words."""

FAULTS = r"""() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const start = (one) => one.outerHTML.slice(0, 90);
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  if (all("main").length !== 1) found.push("not one main");
  for (const one of all("nav")) if (!one.ariaLabel) found.push("a nav unnamed");
  for (const one of all("body > *:not(.skip, header, main, footer, [aria-live])")) {
    found.push("outside of the landmarks: " + start(one));
  }
  for (const one of all("[tabindex]")) if (one.tabIndex > 0) found.push("jumps: " + start(one));
  for (const one of all("img")) if (!one.alt) found.push("no alt: " + start(one));
  const levels = all("h1, h2, h3, h4").map((one) => Number(one.tagName[1]));
  if (levels.filter((one) => one === 1).length !== 1) found.push("not one h1: " + levels);
  levels.forEach((one, i) => one > levels[i - 1] + 1 && found.push("a level left out: " + levels));
  const ids = all("[id]").map((one) => one.id);
  ids.forEach((one, i) => ids.indexOf(one) < i && found.push("id twice: " + one));
  const fields = all("input:not([type=hidden]), select, textarea, button, a, summary");
  for (const one of fields) {
    const label = [...(one.labels ?? [])].map((label) => {
      const words = label.cloneNode(true);
      for (const inside of words.querySelectorAll("select, textarea")) inside.remove();
      return words.textContent;
    }).join("");
    const own = ["INPUT", "SELECT", "TEXTAREA"].includes(one.tagName) ? "" : one.textContent;
    if (!(label + (one.ariaLabel ?? "") + own).trim()) {
      found.push("no name: " + start(one));
    }
  }
  for (const one of all("th")) if (!one.textContent.trim()) found.push("empty th: " + start(one));
  for (const one of all("table")) {
    if (!one.caption && !one.closest("[role=region][aria-label]")) found.push("a table unnamed");
  }
  for (const one of all("[aria-labelledby]")) {
    const named = document.getElementById(one.getAttribute("aria-labelledby"));
    if (!named) found.push("named by nothing: " + start(one));
  }
  const named_by = (one) => document.getElementById(one.getAttribute("aria-labelledby"));
  const regions = all("[role=region], section[aria-labelledby]").map(
    (one) => one.ariaLabel || named_by(one)?.textContent
  );
  regions.forEach((one, i) => regions.indexOf(one) < i && found.push("region twice: " + one));
  for (const one of all("div[aria-label], span[aria-label], pre[aria-label], p[aria-label]")) {
    if (!one.getAttribute("role")) found.push("a name without a role: " + start(one));
  }
  for (const one of all("*")) {
    const { overflowX, overflowY } = getComputedStyle(one);
    const scrolls = [overflowX, overflowY].some((way) => way === "auto" || way === "scroll");
    const is_wider = one.scrollWidth > one.clientWidth + 1;
    const is_larger = is_wider || one.scrollHeight > one.clientHeight + 1;
    const is_reached = one.tabIndex >= 0 || one.querySelector("a, button, input");
    if (scrolls && is_larger && !is_reached && one !== document.documentElement) {
      found.push("out of the keyboard's reach: " + start(one));
    }
  }
  const light = (colour) => {
    const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const apart = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const paper = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  for (const one of all("input[placeholder], textarea[placeholder]")) {
    const ink = light(getComputedStyle(one, "::placeholder").color);
    if (apart(ink, light(paper(one))) < 4.5) found.push("faint placeholder: " + start(one));
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const one = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "title"].includes(one.tagName)) continue;
    const svg = one.closest("svg");
    const { left, right, width } = one.getBoundingClientRect();
    const is_off = left < 0 || right > document.documentElement.clientWidth;
    if (svg && width && is_off) found.push("cut off: " + node.data.trim());
    const ink = light(svg ? getComputedStyle(one).fill : getComputedStyle(one).color);
    const ground = light(paper(svg ? svg.parentElement : one));
    const ratio = apart(ink, ground);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push("wider than the window");
  return [...new Set(found)];
}"""
"""Landmarks, a language, headings in order, names for all, regions told apart, all within the
keyboard's reach, contrast of 4.5 to 1 in every text, nothing cut off or wider than the window."""

BAD = """<!DOCTYPE html><html><head><title></title></head><body>
<div>lost</div><nav><a href="/"></a></nav>
<main><h1>One</h1><h3 id="a">Two</h3><p id="a" style="color: #999">faint</p>
<input placeholder="not a name"><label><select><option>value, no name</option></select></label>
<button tabindex="3">jumps</button><img src="data:,">
<table><tr><th></th></tr></table><section aria-labelledby="none"></section>
<div aria-label="what">role</div><div style="overflow: auto; height: 9px">a<br>b</div>
<svg width="90"><text x="-20" y="20">left of all</text></svg>
<p style="width: 2000px">wide</p></main></body></html>"""
"""A page on which each of the laws is broken."""
