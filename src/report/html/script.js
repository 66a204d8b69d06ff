(() => {
"use strict";
const at = (id) => document.getElementById(id);
const root = document.documentElement;

// Colours: automatic, light, dark. What was chosen is kept where the browser allows it.
const themes = ["automatic", "light", "dark"];
const theme = at("theme");
const kept = () => { try { return localStorage.getItem("runner-report-theme"); } catch { return null; } };
const paint = (name) => {
  if (name === "automatic") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", name);
  at("theme-now").textContent = name;
};
let now = themes.includes(kept()) ? kept() : "automatic";
paint(now);
theme.hidden = false;
theme.addEventListener("click", () => {
  now = themes[(themes.indexOf(now) + 1) % themes.length];
  paint(now);
  try { localStorage.setItem("runner-report-theme", now); } catch { /* it is not kept */ }
});

// The list of steps: filter, order, unfold.
const list = at("rows");
const rows = [...list.children];
const search = at("search"), state = at("state"), order = at("order"), unfold = at("unfold");
const text = new Map();
const textOf = (row) => {
  if (!text.has(row)) text.set(row, row.textContent.toLowerCase());
  return text.get(row);
};
const good = ["passed", "skipped"];
const stands = (row) => {
  const wanted = state.value, is = row.dataset.state;
  if (wanted === "") return true;
  if (wanted === "bad") return !good.includes(is);
  if (wanted === "critical") return row.classList.contains("on-path");
  return is === wanted;
};
const filter = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const fits = stands(row) && words.every((word) => textOf(row).includes(word));
    row.hidden = !fits;
    if (fits) shown += 1;
  }
  at("shown").textContent = shown === rows.length ? `${shown} steps` : `${shown} of ${rows.length} steps`;
  at("none").hidden = shown > 0 || rows.length === 0;
};
const sort = () => {
  const of = (row) => Number(row.dataset[order.value]);
  const direction = order.value === "ms" ? -1 : 1;
  const sorted = [...rows].sort((a, b) => direction * (of(a) - of(b)) || a.dataset.n - b.dataset.n);
  list.append(...sorted);
};
const showAll = () => { search.value = ""; state.value = ""; filter(); };
at("controls").hidden = false;
search.addEventListener("input", filter);
state.addEventListener("change", filter);
order.addEventListener("change", sort);
at("clear").addEventListener("click", () => { showAll(); search.focus(); });
unfold.addEventListener("click", () => {
  const open = unfold.textContent === "Unfold all";
  for (const row of rows) if (!row.hidden) row.firstElementChild.open = open;
  unfold.textContent = open ? "Fold all" : "Unfold all";
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
  if (event.key === "Escape" && event.target === search) showAll();
});

// A link to a step unfolds it.
const follow = () => {
  if (!/^#step-\d+$/.test(location.hash)) return;
  const row = at(location.hash.slice(1));
  if (!row) return;
  if (row.hidden) showAll();
  row.firstElementChild.open = true;
  row.scrollIntoView({ block: "center" });
  row.querySelector("summary").focus({ preventScroll: true });
};
window.addEventListener("hashchange", follow);
follow();

const drawing = at("drawing");
if (drawing) {
  drawing.classList.add("clickable");
  drawing.addEventListener("click", (event) => {
    const box = event.target.closest("[data-step]");
    if (!box) return;
    const hash = `#step-${box.dataset.step}`;
    if (location.hash === hash) follow();
    else location.hash = hash;
  });
}
})();
