/* Methods side by side, from the data that stand in the page. */
(function () {
  "use strict";

  const data = JSON.parse(document.getElementById("compare-data").textContent);
  const place = document.getElementById("choose");
  const MOST = 6;
  const FIRST = 10; // clips that are named
  const FEW = 20; // keys that are shown unasked

  const make = (tag, attributes = {}, ...content) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...content);
    return node;
  };
  const digits = (result) => (data.sets[result.set].clips >= 200 ? 2 : 1); // as in every table
  const top1 = (result) => result.top1.toFixed(digits(result));
  const points = (v, n) => {
    const text = Math.abs(v).toFixed(n);
    return (Number(text) === 0 ? "" : v > 0 ? "+" : "−") + text; // no sign where nothing is left after rounding
  };
  const span = ({ low, high }, n) => (low === null ? data.without : `${points(low, n)} to ${points(high, n)}`);
  const table = (label, heads, rows, kind = "num", stack = "stack") => make("section", { class: "scroll", tabindex: "0", "aria-label": label },
    make("table", { class: `plain ${stack}` },
      make("caption", { class: "sr" }, label),
      make("thead", {}, make("tr", {}, ...heads.map((h, i) => make("th", { scope: "col", ...(i && { class: kind }) }, h)))),
      make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((c, i) => make(
        i ? "td" : "th", i ? { class: kind, "data-label": heads[i] } : { scope: "row" }, ...(Array.isArray(c) ? c : [c])
      )))))));

  /* which clips are right in most seeds: one bit each */
  // A dotted key that may be broken after its dots.
  const broken = (key) => make("code", {}, ...key.split(/(?<=\.)/).flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
  const right = (result) => {
    const bytes = Uint8Array.from(atob(result.right), (c) => c.charCodeAt(0));
    return (clip) => (bytes[clip >> 3] >> (7 - (clip & 7))) & 1;
  };
  const alone = (a, b, set) => {
    const [x, y] = [right(a), right(b)];
    const found = [];
    for (let clip = 0; clip < set.clips; clip += 1) if (x(clip) && !y(clip)) found.push(clip);
    return found;
  };
  const pairOf = (field, i, j) => {
    const found = field.pairs.find(([a, b]) => a === Math.min(i, j) && b === Math.max(i, j));
    if (!found) return null;
    const [, , gap, low, high, p] = found;
    return i < j ? { gap, low, high, p } : { gap: -gap, low: low === null ? null : -high, high: low === null ? null : -low, p };
  };
  const configOf = (result) => {
    const found = new Map();
    for (let i = 0; i < result.config.length; i += 2) found.set(result.config[i], data.values[result.config[i + 1]]);
    return found;
  };

  /* ---- what is chosen stands in the hash: #in=table2.rgb&of=cell&of=cell */
  let field = data.fields[0];
  let chosen = [0, 1];
  const read = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    field = data.fields.find((x) => x.id === state.get("in")) || data.fields[0];
    const asked = state.getAll("of").map((id) => field.results.indexOf(id)).filter((i) => i >= 0);
    chosen = [...new Set(asked.length > 1 ? asked : [0, 1])].slice(0, MOST);
  };
  const write = () => {
    const state = new URLSearchParams([["in", field.id], ...chosen.map((i) => ["of", field.results[i]])]);
    try { history.replaceState(null, "", `#${state}`); } catch { location.hash = state; }
  };

  const select = (label, options, value, change) => {
    const node = make("select", {}, ...options.map(([v, text]) => make("option", { value: v }, text)));
    node.value = value;
    node.addEventListener("change", () => change(node.value));
    return make("label", {}, label, node);
  };

  const said = make("p", { role: "status", "aria-live": "polite", class: "quiet" });
  const tools = make("div", { class: "tools", role: "group", "aria-label": "Methods" });
  const out = make("div", {});

  const choose = (at) => {
    write();
    show();
    const again = tools.querySelectorAll("select, button")[at];
    if (again) again.focus();
  };

  const showTools = () => {
    const methods = field.names.map((name, i) => [String(i), `${name} (${top1(data.results[field.results[i]])} %)`]);
    tools.replaceChildren(select("Column", data.fields.map((x) => [x.id, x.title]), field.id, (id) => {
      field = data.fields.find((x) => x.id === id);
      chosen = [0, 1];
      choose(0);
    }));
    chosen.forEach((method, n) => {
      const others = methods.filter(([v]) => Number(v) === method || !chosen.includes(Number(v)));
      const options = n > 1 ? [["", "none"], ...others] : others;
      tools.append(select(n ? "with" : "Compare", options, String(method), (value) => {
        if (value === "") chosen.splice(n, 1);
        else chosen[n] = Number(value);
        choose(n + 1);
      }));
    });
    const next = methods.findIndex((_, i) => !chosen.includes(i));
    if (next < 0 || chosen.length === MOST) return;
    const more = make("button", { type: "button" }, "One more");
    more.addEventListener("click", () => { chosen.push(next); choose(chosen.length); });
    tools.append(more);
  };

  const show = () => {
    showTools();
    const results = chosen.map((i) => data.results[field.results[i]]);
    const names = chosen.map((i) => field.names[i]);
    const [first, ...rest] = results;
    const set = data.sets[first.set];
    const clips = (found) => {
      const named = found.filter((clip) => clip < set.ids.length).slice(0, FIRST);
      const more = found.length - named.length;
      return make("p", { class: "ids" }, ...named.flatMap((clip) => [make("code", {}, set.ids[clip]), " "]), more ? `and ${more} more` : "");
    };
    const link = (i) => (results[i].page ? make("a", { href: results[i].page }, names[i]) : names[i]);
    const differences = rest.map((other, n) => {
      const pair = pairOf(field, chosen[0], chosen[n + 1]);
      const [own, theirs] = [alone(first, other, set), alone(other, first, set)];
      return {
        name: names[n + 1], own, theirs, pair,
        cells: [
          [link(n + 1)], `${top1(other)} %`, pair ? points(pair.gap, digits(first)) : "–",
          pair ? span(pair, digits(first)) : "no seed is done for both",
          pair && pair.p !== null ? (pair.p < 0.001 ? "< 0.001" : pair.p.toFixed(3)) : "–", String(own.length), String(theirs.length),
        ],
      };
    });
    const known = ({ gap, low, high, p }) => `${points(gap, digits(first))} points (${low === null ? "" : "95 % interval "}${span({ low, high }, digits(first))}${
      p === null ? "" : p < 0.001 ? ", p < 0.001" : `, p = ${p.toFixed(3)}`})`;
    said.textContent = differences.map(({ name, pair, own, theirs }) => (
      `${names[0]}: ${pair ? known(pair) : "no difference known"} against ${name}; they disagree on ${own.length + theirs.length} of ${set.clips} clips.`
    )).join(" ");
    const configs = results.map(configOf);
    const keys = data.keys.map((_, k) => k).filter((k) => new Set(configs.map((c) => c.get(k))).size > 1);
    out.replaceChildren(
      make("h2", {}, "Difference in top-1"),
      table(`${names[0]} against the others`, ["Method", "Top-1", `${names[0]} is better by (points)`, "95 % interval", "Adjusted p", `Right with ${names[0]} alone`, "Right with this alone"],
        [[[link(0)], `${top1(first)} %`, "reference", "", "", "", ""], ...differences.map((d) => d.cells)]),
      make("p", { class: "quiet" }, `p: the larger of an exact McNemar test on the same clips and a t test with the variance of training, adjusted by Holm for all pairs of the column; none where nothing says how trainings vary. A clip is right when most seeds say so.`),
      ...differences.filter((d) => d.own.length + d.theirs.length).map((d) => make("details", {},
        make("summary", {}, `Clips on which ${names[0]} and ${d.name} disagree (${d.own.length + d.theirs.length})`),
        make("h3", {}, `Right with ${names[0]} alone (${d.own.length})`), clips(d.own),
        make("h3", {}, `Right with ${d.name} alone (${d.theirs.length})`), clips(d.theirs))),
      make("h2", {}, "Recall per class (%)"),
      table("Recall per class in percent", ["Class", ...names], set.classes.map((name, c) => [name, ...results.map((r) => r.recall[c].toFixed(1))]), "num", ""),
      make("h2", {}, "What differs in their configs"),
      keys.length ? make("details", keys.length > FEW ? {} : { open: "" }, make("summary", {}, keys.length === 1 ? "1 key" : `${keys.length} keys`),
        table("Keys that differ", ["Key", ...names], keys.map((k) => [
          [broken(data.keys[k])], ...configs.map((c) => [c.has(k) ? make("code", {}, c.get(k)) : "–"]),
        ]), "text"))
        : make("p", {}, data.keys.length ? "Nothing in the config of the run's own stage." : "Configs are not in this page."),
    );
  };

  read();
  place.replaceChildren(tools, said, out);
  show();
  addEventListener("hashchange", () => { read(); show(); });
})();
