/* Sorting, filtering, column switches, links to a view, copying and the theme. Every page reads fully without it. */
(function () {
  "use strict";

  const make = (tag, attributes = {}, text = "") => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  };

  /* ---- the view of all tables lives in the hash: #table2.sort=rgb.top1,desc&table2.q=mtcd&table2.show=Cost */
  const readHash = () => {
    const hash = location.hash.slice(1);
    return new URLSearchParams(hash.includes("=") ? hash : "");
  };
  const writeHash = (id, key, value) => {
    const state = readHash();
    if (value) state.set(`${id}.${key}`, value);
    else state.delete(`${id}.${key}`);
    const text = state.toString().replace(/%2C/g, ",");
    const url = text ? `#${text}` : location.pathname + location.search;
    try { history.replaceState(null, "", url); } catch { if (text) location.hash = text; }
  };

  const copy = async (text, button) => {
    const before = button.textContent;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { readonly: "", class: "sr" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };

  /* what a row shows: no text of columns that are switched off, and none that is for screen readers alone */
  const seenText = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent.toLowerCase();
    if (node.hidden && node.tagName !== "TR") return "";
    if (node.tagName === "svg" || node.classList.contains("sr")) return "";
    if (/^T[DH]$/.test(node.tagName) && getComputedStyle(node).display === "none") return "";
    return [...node.childNodes].map(seenText).join(" ").replace(/\s+/g, " ");
  };

  /* ---- one table */
  class Sheet {
    constructor(table) {
      this.table = table;
      this.id = table.dataset.table;
      this.heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
      this.spans = table.tHead.rows.length > 1 ? [...table.tHead.rows[0].cells] : [];
      this.bodies = [...table.tBodies].map((body) => ({
        body,
        heading: body.querySelector("tr.group"),
        rows: [...body.querySelectorAll("tr:not(.group)")],
      }));
      this.rows = this.bodies.flatMap((b) => b.rows);
      this.placed = this.rows.some((row) => row.dataset.place !== undefined);
      this.facets = this.readFacets();
      this.toggles = [...new Set(this.heads.map((h) => h.dataset.toggle).filter(Boolean))];
      this.sort = null;
      this.shown = new Set();
      this.addTools();
      this.addSorting();
      this.apply();
      addEventListener("hashchange", () => this.apply());
    }

    addTools() {
      const tools = make("div", { class: "tools" });
      if (this.rows.length > 3) {
        this.search = make("input", { type: "search", placeholder: "Filter rows", "aria-label": `Filter the rows by what is shown of them: ${this.table.closest(".scroll").getAttribute("aria-label")}` });
        this.search.addEventListener("input", () => { writeHash(this.id, "q", this.search.value.trim()); this.filter(); });
        tools.append(this.search);
      }
      for (const facet of this.facets) {
        const label = make("label", {}, facet.name);
        facet.select = make("select");
        facet.select.append(make("option", { value: "" }, "all"), ...facet.values.map((v) => make("option", { value: v }, v)));
        facet.select.addEventListener("change", () => { writeHash(this.id, `only.${facet.name}`, facet.select.value); this.filter(); });
        label.append(facet.select);
        tools.append(label);
      }
      if (this.placed) {
        this.draft = make("button", { type: "button", "aria-pressed": "false" }, "Draft’s order");
        this.draft.addEventListener("click", () => {
          const on = this.draft.getAttribute("aria-pressed") !== "true";
          writeHash(this.id, "order", on ? "draft" : "");
          this.arrange(on);
          this.filter();
          this.status.textContent = on ? "in the order of the draft" : "measured rows first, the best at the head";
        });
        tools.append(this.draft);
      }
      const columns = make("span", { class: "columns", role: "group", "aria-label": "Further columns" }, this.toggles.length ? "Columns" : "");
      tools.append(columns);
      this.switches = this.toggles.map((name) => {
        const button = make("button", { type: "button", "aria-pressed": "false" }, name);
        button.addEventListener("click", () => {
          if (!this.shown.delete(name)) this.shown.add(name);
          writeHash(this.id, "show", [...this.shown].join(","));
          this.columns();
          this.filter();
        });
        columns.append(button);
        return button;
      });
      this.status = make("span", { role: "status", "aria-live": "polite" });
      const link = make("button", { type: "button", class: "push" }, "Copy link to this view");
      link.addEventListener("click", () => copy(location.href, link));
      const rows = make("button", { type: "button" }, "Copy table");
      rows.addEventListener("click", () => copy(this.asText(), rows));
      tools.append(this.status, link, rows);
      this.table.closest(".scroll").before(tools);
    }

    addSorting() {
      this.heads.forEach((head, index) => {
        const button = make("button", { type: "button" }, head.textContent);
        const name = this.rows.length && this.rows[0].cells[index].dataset.label || head.textContent; // with its group
        head.textContent = "";
        head.append(button);
        head.classList.add("sortable");
        button.addEventListener("click", () => {
          const first = head.dataset.order;
          const second = first === "asc" ? "desc" : "asc";
          const now = this.sort && this.sort.index === index ? this.sort.order : "";
          const next = now === "" ? first : now === first ? second : "";
          writeHash(this.id, "sort", next && `${head.dataset.col},${next}`);
          this.order(next ? { index, order: next } : null);
          this.status.textContent = next ? `sorted by ${name}, ${next === "asc" ? "ascending" : "descending"}` : "in the order of the page";
        });
      });
    }

    /* the state of the hash, on load and when it changes */
    apply() {
      const state = readHash();
      const [column, order] = (state.get(`${this.id}.sort`) || "").split(",");
      const index = this.heads.findIndex((h) => h.dataset.col === column);
      this.shown = new Set((state.get(`${this.id}.show`) || "").split(",").filter((n) => this.toggles.includes(n)));
      if (this.search) this.search.value = state.get(`${this.id}.q`) || "";
      for (const { name, values, select } of this.facets) {
        const value = state.get(`${this.id}.only.${name}`) || "";
        select.value = values.includes(value) ? value : "";
      }
      if (this.placed) this.arrange(state.get(`${this.id}.order`) === "draft");
      this.order(index < 0 ? null : { index, order: order === "asc" ? "asc" : "desc" });
      this.columns();
      this.filter();
    }

    /* what rows can be filtered by, as far as they differ in it: [{name, values, of: row -> its values}] */
    readFacets() {
      const found = new Map();
      for (const row of this.rows) {
        for (const [name, own] of Object.entries(JSON.parse(row.dataset.facets || "{}"))) {
          if (!found.has(name)) found.set(name, new Map());
          found.get(name).set(row, own);
        }
      }
      return [...found].map(([name, of]) => ({ name, of, values: [...new Set([...of.values()].flat())].sort() }))
        .filter((facet) => facet.values.length > 1);
    }

    /* the draft's order is one block of all rows; the page's has its own blocks */
    arrange(asDraft) {
      const [first] = this.bodies;
      const all = this.bodies.flatMap((b) => b.own || b.rows);
      for (const block of this.bodies) {
        block.own = block.own || block.rows;
        block.rows = asDraft ? [] : block.own;
      }
      if (asDraft) first.rows = [...all].sort((a, b) => a.dataset.place - b.dataset.place);
      this.table.classList.toggle("as-draft", asDraft);
      this.draft.setAttribute("aria-pressed", String(asDraft));
      this.order(this.sort);
    }

    key(row, index) {
      const cell = row.cells[index];
      if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
      const text = cell.classList.contains("missing") || cell.classList.contains("failed") ? "" : cell.textContent.trim();
      return this.heads[index].classList.contains("num") || text === "" ? null : text.toLowerCase();
    }

    /* within each block of rows; what is missing stays last in both directions */
    order(sort) {
      this.sort = sort;
      this.heads.forEach((head, i) => {
        if (sort && sort.index === i) head.setAttribute("aria-sort", sort.order === "asc" ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
      const sign = sort && sort.order === "asc" ? 1 : -1;
      for (const { body, rows } of this.bodies) {
        const sorted = sort === null ? rows : rows
          .map((row, place) => ({ row, place, key: this.key(row, sort.index) }))
          .sort((a, b) => {
            if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
            const by = typeof a.key === "string" ? a.key.localeCompare(b.key, "en") : a.key - b.key;
            return sign * by || a.place - b.place;
          })
          .map((x) => x.row);
        body.append(...sorted);
      }
    }

    columns() {
      const visible = this.heads.map((h) => !h.dataset.toggle || this.shown.has(h.dataset.toggle));
      this.heads.forEach((h, i) => { h.hidden = !visible[i]; });
      for (const row of this.rows) [...row.cells].forEach((c, i) => { c.hidden = !visible[i]; });
      let from = 0;
      for (const span of this.spans) {
        const width = Number(span.dataset.span);
        const left = visible.slice(from, from + width).filter(Boolean).length;
        span.colSpan = Math.max(left, 1);
        span.hidden = left === 0;
        from += width;
      }
      const total = visible.filter(Boolean).length;
      for (const { heading } of this.bodies) if (heading) heading.cells[0].colSpan = total;
      this.switches.forEach((b) => b.setAttribute("aria-pressed", String(this.shown.has(b.textContent))));
    }

    /* by the words and facets that are asked for; each facet says how many rows each of its values would leave */
    filter() {
      const words = (this.search ? this.search.value : "").toLowerCase().split(/\s+/).filter(Boolean);
      const said = new Map(words.length ? this.rows.map((row) => [row, seenText(row)]) : []);
      const found = this.rows.filter((row) => words.every((w) => said.get(row).includes(w)));
      const has = ({ of }, row, value) => !value || (of.get(row) || []).includes(value);
      const passes = (row, but) => this.facets.every((x) => x === but || has(x, row, x.select.value));
      const left = new Set(found.filter((row) => passes(row)));
      for (const facet of this.facets) {
        const open = found.filter((row) => passes(row, facet));
        for (const option of [...facet.select.options].slice(1)) {
          option.textContent = `${option.value} (${open.filter((row) => has(facet, row, option.value)).length})`;
        }
      }
      for (const row of this.rows) row.hidden = !left.has(row);
      for (const { heading, rows } of this.bodies) if (heading) heading.hidden = !rows.some((row) => left.has(row));
      const asked = words.length || this.facets.some((x) => x.select.value);
      this.status.textContent = asked ? `${left.size} of ${this.rows.length} rows` : "";
    }

    /* what is visible, tab separated, as a spreadsheet wants it */
    asText() {
      const line = (cells) => [...cells].filter((c) => !c.hidden)
        .map((c) => [...c.childNodes].filter((n) => n.nodeName !== "svg").map((n) => n.textContent).join(" ").replace(/\s+/g, " ").trim()).join("\t");
      const rows = this.bodies.flatMap(({ body }) => [...body.rows]).filter((r) => !r.hidden);
      return [this.heads, ...rows.map((r) => r.cells)].map(line).join("\n");
    }
  }

  document.querySelectorAll("table[data-table]").forEach((table) => new Sheet(table));

  document.querySelectorAll(".command").forEach((box) => {
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", () => copy(box.querySelector("code").textContent, button));
    box.append(button);
  });

  /* ---- menus close as those of a desktop do */
  const menus = [...document.querySelectorAll("nav details")];
  const close = (but) => menus.forEach((menu) => { if (menu !== but) menu.open = false; });
  addEventListener("click", (event) => close(event.target.closest("nav details")));
  addEventListener("keydown", (event) => {
    const open = menus.find((menu) => menu.open);
    if (event.key !== "Escape" || !open) return;
    close(null);
    open.querySelector("summary").focus();
  });

  /* ---- theme: as the system, light, dark */
  const themes = ["auto", "light", "dark"];
  let current = "auto";
  try { current = localStorage.getItem("theme") || "auto"; } catch { /* no storage: the choice lasts as long as the page */ }
  const show = (theme) => {
    current = theme;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    toggle.textContent = `Theme: ${theme}`;
  };
  const toggle = make("button", { type: "button", class: "theme", title: "Theme of the pages: as the system, light, dark" });
  toggle.addEventListener("click", () => {
    show(themes[(themes.indexOf(current) + 1) % themes.length]);
    try { localStorage.setItem("theme", current); } catch { /* as above */ }
  });
  document.querySelector("header.top").append(toggle);
  show(current);
})();
