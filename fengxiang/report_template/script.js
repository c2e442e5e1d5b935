"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const make = (name, text, properties = {}) => Object.assign(document.createElement(name), { textContent: text }, properties);
  const words = JSON.parse(one("#words").textContent);
  const fill = (sentence, values) => sentence.replace(/\{(\w+)\|([^{}|]*)\|([^{}|]*)\}/g, (_, key, singular, plural) =>
    values[key] === 1 ? singular : plural).replace(/\{(\w+)\}/g, (_, key) =>
    typeof values[key] === "number" ? values[key].toLocaleString("en-US") : values[key]);
  const show = (element) => { if (element) element.hidden = false; };

  // A link to something folded away unfolds it.
  const reveal = () => {
    let target;
    try { target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    if (target.tagName === "DETAILS") one("summary", target).focus({ preventScroll: true });
    (target.closest(".findings > li") ?? target).scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) reveal();
  });

  // Chinese headings break between words, where the browser knows words, and not within them.
  if (document.documentElement.lang.startsWith("zh") && window.Intl?.Segmenter) {
    const segmenter = new Intl.Segmenter("zh", { granularity: "word" });
    const opening = /[“‘（《「『【〔〈]$/;
    for (const heading of all("h1, h2, h3, h4, caption, .figure-title")) {
      const walker = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode()) texts.push(walker.currentNode);
      for (const text of texts) {
        const parts = [];
        for (const { segment, isWordLike } of segmenter.segment(text.data)) {
          if (parts.length && (!isWordLike || opening.test(parts.at(-1)))) parts[parts.length - 1] += segment;
          else parts.push(segment);
        }
        text.replaceWith(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
      }
      heading.classList.add("phrased");
    }
  }

  // The other language opens at the same place.
  const language = one(".language");
  language.addEventListener("click", () => { language.hash = location.hash; });

  // Closing and opening marks that meet leave a gap of half a character between them; fonts that can, close it.
  const meeting = /([”’])(?=[“‘（《，、。；：）])/;
  const tighten = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    const line = (text) => text?.parentElement.closest("p, li, h1, h2, h3, h4, caption, th, td, dd, summary");
    texts.map((text, i) => {
      // the mark that is met may stand in the next element, as after the link of a number
      const next = /[”’]$/.test(text.data) && line(text) === line(texts[i + 1]) ? texts[i + 1]?.data[0] ?? "" : "";
      return [text, (text.data + next).split(meeting), next.length];
    }).forEach(([text, parts, more]) => {
      if (parts.length === 1 || text.parentElement.closest("pre, code, script, option")) return;
      if (more) parts.push(parts.pop().slice(0, -more));
      text.replaceWith(...parts.filter(Boolean).map((part, i, all) => (/^[”’]$/.test(part) && (i + 1 < all.length || more) ? make("span", part, { className: "half" }) : part)));
    });
  };
  tighten(one("main"));

  // Code: hidden, and one switch for all of it. What is being read stays where it is.
  const blocks = all("details.code");
  const codeSwitch = one("#code-switch");
  if (blocks.length) show(codeSwitch);
  codeSwitch.addEventListener("click", () => {
    const open = codeSwitch.getAttribute("aria-pressed") !== "true";
    codeSwitch.setAttribute("aria-pressed", String(open));
    codeSwitch.textContent = open ? words.code_hide_all : words.code_show_all;
    const root = document.documentElement;
    const read = all(".chapter > *").find((part) => part.getBoundingClientRect().bottom > 0 && !part.matches(".code"));
    const before = read?.getBoundingClientRect().top;
    root.style.overflowAnchor = "none";
    root.classList.toggle("coded", open);
    for (const block of blocks) block.open = open;
    if (scrollY > 0 && read) scrollBy({ top: read.getBoundingClientRect().top - before, behavior: "instant" });
    requestAnimationFrame(() => { root.style.overflowAnchor = ""; });
  });

  // Contents: mark the section being read; on a narrow page they fold away.
  const contents = one(".contents > details");
  const narrow = matchMedia("(max-width: 52rem)");
  const fold = () => { contents.open = !narrow.matches; };
  fold();
  narrow.addEventListener("change", fold);
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const marks = all("main [id]").filter((element) => links.has(element.id));
  let current;
  const mark = () => {
    const line = innerHeight * 0.3;
    const atEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const passed = marks.filter((element) => element.getBoundingClientRect().top <= line);
    const now = links.get((atEnd ? marks.at(-1) : passed.at(-1) ?? marks[0])?.id);
    if (!now || now === current) return;
    current?.removeAttribute("aria-current");
    now.setAttribute("aria-current", "location");
    current = now;
    for (const item of all(".contents li.open")) item.classList.remove("open");
    for (let item = now.closest("li"); item; item = item.parentElement.closest("li")) item.classList.add("open");
    if (!narrow.matches) {
      const box = contents.getBoundingClientRect(), row = now.getBoundingClientRect();
      if (row.top < box.top) contents.scrollTop -= box.top - row.top + 20;
      if (row.bottom > box.bottom) contents.scrollTop += row.bottom - box.bottom + 20;
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(); });
  }, { passive: true });
  contents.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) contents.open = false; });
  mark();

  // Long tables show their beginning.
  for (const table of all(".table.long")) {
    const button = one(".unfold", table);
    table.classList.add("folded");
    show(button);
    button.addEventListener("click", () => {
      table.classList.remove("folded");
      button.hidden = true;
      one(".scroll", table).focus({ preventScroll: true });
    });
  }

  // On a phone a table with sentences becomes a list: each row says what its values are, and its sentence has the width.
  // The roles are what a table has; a browser may forget them where rows are no longer drawn as rows.
  for (const table of all(".table table.wide, .lines table")) {
    if (table.classList.contains("wide") && !one("td.text", table)) continue;
    const heads = table.classList.contains("wide") ? all("thead th", table).map((head) => head.textContent) : [];
    if (heads.length) table.classList.add("cards");
    table.setAttribute("role", "table");
    for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      [...row.cells].forEach((cell, i) => {
        cell.setAttribute("role", row.parentElement.tagName === "THEAD" ? "columnheader" : cell.tagName === "TH" ? "rowheader" : "cell");
        if (cell.tagName === "TD" && heads[i]) cell.dataset.label = heads[i] + words.colon;
      });
    }
  }

  // A box that does not show all it holds says so; one that shows all is no stop for the keyboard.
  const boxes = new ResizeObserver((entries) => {
    for (const { target: box } of entries) {
      const wide = box.scrollWidth > box.clientWidth + 8; // less is the padding of the last column
      box.tabIndex = wide || box.scrollHeight > box.clientHeight + 1 ? 0 : -1;
      if (wide && !box.swipe) {
        const caption = one("caption", box), plate = box.matches(".plate");
        box.swipe = make(caption ? "small" : "p", plate ? words.swipe_figure : words.swipe_table, { className: "swipe", ariaHidden: "true" });
        if (caption) caption.append(box.swipe); else box.before(box.swipe);
        if (plate) {
          // The picture alone, in a tab of its own, which a reader may pinch and turn as any picture.
          const figure = box.closest("figure"), button = make("button", words.figure_whole, { type: "button" });
          box.whole = make("p", "", { className: "whole" });
          button.setAttribute("aria-label", words.figure_whole + words.colon + one(".figure-title", figure).textContent);
          button.addEventListener("click", () => {
            const address = URL.createObjectURL(new Blob([bytes(one("img", figure).src.split(",")[1])], { type: types.png }));
            window.open(address, "_blank");
            setTimeout(() => URL.revokeObjectURL(address), 60000);
          });
          box.whole.append(button);
          box.swipe.before(box.whole);
        }
      }
      for (const part of [box.swipe, box.whole]) if (part) part.hidden = !wide;
    }
  });
  for (const box of all(".plate, .scroll")) boxes.observe(box);

  // Downloads: the files lie in the page.
  const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const unpack = (data) => new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"))).blob();
  let pieces;
  const drawing = async (packed) => {
    pieces ??= await packedJson("#pieces");
    const text = await (await unpack(bytes(packed))).text();
    return text.replace(/\uE000(\d+)\uE001/g, (_, index) => pieces[index]);
  };
  const types = { png: "image/png", svg: "image/svg+xml", pdf: "application/pdf", csv: "text/csv;charset=utf-8" };
  const files = (figure) => JSON.parse(one(".files", figure).textContent);
  const save = (blob, name) => {
    const address = URL.createObjectURL(blob);
    const link = make("a", "", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };
  for (const figure of all("figure[id]")) {
    show(one(".downloads", figure));
    one(".downloads", figure).addEventListener("click", async (event) => {
      const format = event.target.dataset?.format;
      if (!format) return;
      const kept = files(figure);
      const name = (format === "csv" ? kept.name.replace(/\.\w+$/, "") : kept.name) + "." + format;
      let content;
      if (format === "png") content = bytes(one("img", figure).src.split(",")[1]);
      else if (format === "csv") content = kept.csv;
      else if (!("DecompressionStream" in window)) { event.target.textContent = words.download_failed; return; }
      else if (format === "svg") content = await drawing(kept.svg);
      else content = Uint8Array.from(await drawing(kept.pdf), (char) => char.charCodeAt(0));
      save(new Blob([content], { type: types[format] }), name);
    });
    const details = one("details.data", figure);
    show(details);
    details?.addEventListener("toggle", () => {
      const place = one(".scroll", details);
      if (details.open && !place.childElementCount) place.replaceChildren(...dataTable(files(figure), details));
    });
  }

  // The plotted data as a table, from the CSV.
  const ROWS = 60;
  const visible = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g,
    (char) => "[U+" + char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "]");
  const parseCsv = (text) => {
    const rows = [[""]];
    let quoted = false;
    for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i += 1) {
      const char = text[i], row = rows.at(-1);
      if (quoted) {
        if (char !== '"') row[row.length - 1] += char;
        else if (text[i + 1] === '"') { row[row.length - 1] += '"'; i += 1; } else quoted = false;
      } else if (char === '"') quoted = true;
      else if (char === ",") row.push("");
      else if (char === "\n") rows.push([""]);
      else if (char !== "\r") row[row.length - 1] += char;
    }
    if (rows.at(-1).length === 1 && rows.at(-1)[0] === "") rows.pop();
    return rows;
  };
  // Numbers of a column have as many digits as its largest can bear; the file has all of them.
  const digits = (values) => {
    const largest = Math.max(...values.map((value) => Math.abs(Number(value))));
    const places = values.every((value) => Number.isInteger(Number(value))) ? 0 : largest > 10 ? 1 : largest > 1 ? 2 : 3;
    const least = 10 ** -places;
    return (text) => {
      const value = Number(text);
      if (text === "" || Number.isInteger(value) && !places) return Math.abs(value) < 10000 ? text.replace("-", "−") : value.toLocaleString("en-US").replace("-", "−");
      if (value !== 0 && Math.abs(value) < least / 2) return value > 0 ? "<" + least : ">−" + least;
      return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }).replace("-", "−");
    };
  };
  const dataTable = (kept) => {
    const [names, ...lines] = parseCsv(kept.csv);
    const kinds = names.map((name, column) => column).filter((column) => kept.columns[names[column]] !== null);
    const [head, ...rows] = [names, ...lines].map((row) => kinds.map((column) => row[column] ?? ""));
    const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => row[column] === "" || !Number.isNaN(Number(row[column]))));
    const as = head.map((name, column) => {
      const number = digits(numeric[column] ? rows.map((row) => row[column]).filter((value) => value !== "") : [0]);
      return (value) => (name === "year" && value === "-1" ? words.all_years : numeric[column] ? number(value)
        : Object.hasOwn(words.plotted, value) ? words.plotted[value] : visible(value.replace(/^'(?=[=+\-@])/, "")));
    });
    const table = make("table", "");
    const headRow = table.createTHead().insertRow();
    head.forEach((name, column) => headRow.append(make("th", kept.columns[name] || visible(name), { scope: "col", className: numeric[column] ? "number" : "" })));
    const body = table.createTBody();
    for (const row of rows.slice(0, ROWS)) {
      const line = body.insertRow();
      row.forEach((value, column) => line.append(make("td", as[column](value), { className: numeric[column] ? "number" : value.length > 40 ? "text" : "" })));
    }
    return rows.length > ROWS ? [table, make("p", fill(words.figure_data_rows, { n: rows.length, shown: ROWS }), { className: "quiet" })] : [table];
  };

  // What both searches share: the statements, a text with what was found in it marked, where it stands.
  // They lie in the page packed, and are unpacked when first asked for.
  const packedJson = async (selector) => JSON.parse(await (await unpack(bytes(JSON.parse(one(selector).textContent)))).text());
  let held;
  const lensData = () => held ??= packedJson("#lens-data");
  const has = (list, value) => value === "" || (value === "-1" ? list.length === 0 : list.includes(Number(value)));
  const asked = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  // A query in Latin letters finds little in Chinese texts. It may be the English name of a listed term, as a whole or
  // word by word: the name that says least besides is the one that is meant.
  const latin = (text) => /[a-z]/i.test(text) && !/[\u3400-\u9fff]/.test(text);
  const stems = (text) => text.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean).map((word) => (word.length > 3 ? word.replace(/s$/, "") : word));
  const glossary = (glosses, query) => {
    const named = (text) => {
      const wanted = stems(text);
      return glosses.map(([term, english]) => ({ term, english, has: stems(english) }))
        .filter(({ has }) => wanted.length && wanted.every((word) => has.includes(word)))
        .sort((a, b) => a.has.length - b.has.length || a.term.length - b.term.length || (a.term < b.term ? -1 : 1));
    };
    const whole = named(query);
    if (whole.length) return { chosen: [whole[0]], others: whole.slice(1, 9) };
    const each = asked(query).map(named);
    return { chosen: each.every((found) => found.length) ? each.map((found) => found[0]) : [], others: [] };
  };
  const tellForeign = (place, query, { chosen, others }, input) => {
    const named = ({ term, english }) => words.gloss.replace("{term}", term).replace("{english}", english);
    place.replaceChildren(fill(words.search_foreign, { words: query }));
    if (chosen.length) place.append(words.sentence_gap, fill(words.search_foreign_term, { terms: chosen.map(named).join(words.list_separator) }));
    if (others.length) place.append(make("br", ""), words.search_foreign_others);
    for (const other of others) {
      const button = make("button", other.term, { type: "button", title: other.english, lang: "zh-CN" });
      button.addEventListener("click", () => { input.value = other.term; input.dispatchEvent(new Event("input", { bubbles: true })); input.focus(); });
      place.append(" ", button);
    }
  };
  const marked = (text, spans) => {
    const line = make("p", "");
    let position = 0;
    for (const [start, end] of spans) {
      line.append(text.slice(position, start), make("mark", text.slice(start, end)));
      position = end;
    }
    line.append(text.slice(position));
    return line;
  };
  const source = ([title, publisher, date, anchor], ...more) => {
    const cite = make("p", "", { className: "cite" });
    cite.append(anchor ? make("a", title, { href: "#" + anchor, lang: "zh-CN" }) : make("span", title, { lang: "zh-CN" }));
    const parts = [publisher || words.publisher_unknown, date || words.date_unknown, ...more];
    cite.append(...parts.filter(Boolean).map((part) => words.comma + part));
    return cite;
  };
  const onChange = (form, count, find) => {
    let timer;
    const update = () => { if ("DecompressionStream" in window) find(); else count.textContent = words.download_failed; };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(update, 120); });
    form.addEventListener("submit", (event) => { event.preventDefault(); update(); });
    form.addEventListener("reset", () => setTimeout(update));
  };
  const PAGE = 20;

  // Search over the statements.
  const lens = () => {
    const [form, count, warning, list, more, foreign] = [".lens", ".lens-count", ".lens-warning", ".lens-results", ".lens-more", ".lens-foreign"].map((selector) => one(selector));
    const input = Object.fromEntries(["words", "year", "region", "theme"].map((name) => [name, one("#lens-" + name)]));
    let data, lower, found = [], shown = 0, terms = [];
    show(form);
    const quote = (text) => {
      const low = text.toLowerCase(), spans = [];
      for (let position = 0; position < text.length;) {
        let start = -1, length = 0;
        for (const term of terms) {
          const at = low.indexOf(term, position);
          if (at >= 0 && (start < 0 || at < start)) { start = at; length = term.length; }
        }
        if (start < 0) break;
        spans.push([start, position = start + length]);
      }
      return marked(text, spans);
    };
    const item = (statement) => {
      const entry = make("li", "", { className: "statement" });
      const block = make("blockquote", "", { lang: "zh-CN" });
      block.append(quote(statement[4]));
      entry.append(block, source(data.articles[statement[0]], statement[2].map((index) => data.regions[index]).join(words.list_separator),
        statement[3].map((index) => data.themes[index]).join(words.list_separator)));
      return entry;
    };
    const extend = () => {
      const next = found.slice(shown, shown + PAGE);
      const entries = next.map((index) => item(data.statements[index]));
      entries.forEach(tighten);
      list.append(...entries);
      shown += next.length;
      more.hidden = shown >= found.length;
      more.textContent = fill(words.search_more, { n: Math.min(PAGE, found.length - shown) });
    };
    const update = async () => {
      data ??= await lensData();
      lower ??= data.statements.map((statement) => statement[4].toLowerCase());
      const query = input.words.value.trim();
      const year = input.year.value, region = input.region.value, theme = input.theme.value;
      let range;
      const look = (sought) => {
        terms = sought;
        range = 0;
        found = [];
        data.statements.forEach((statement, index) => {
          if ((year !== "" && statement[1] !== Number(year)) || !has(statement[2], region)) return;
          range += 1;
          if (has(statement[3], theme) && terms.every((term) => lower[index].includes(term))) found.push(index);
        });
      };
      look(asked(query));
      foreign.replaceChildren();
      if (!found.length && range > 0 && latin(query)) {
        const names = glossary(data.glosses, query);
        if (names.chosen.length) look(names.chosen.map(({ term }) => term.toLowerCase()));
        tellForeign(foreign, query, names, input.words);
      }
      const articles = new Set(found.map((index) => data.statements[index][0])).size;
      const any = year !== "" || region !== "" || theme !== "" || terms.length > 0;
      count.textContent = !any ? "" : range === 0 ? words.search_none
        : fill(words.search_result, { n: found.length, range, articles, share: (100 * found.length / range).toFixed(1) + "%" });
      warning.textContent = any && range > 0 && range < data.minimum ? fill(words.search_thin, { minimum: data.minimum }) : "";
      list.replaceChildren();
      shown = 0;
      if (any) extend(); else more.hidden = true;
    };
    onChange(form, count, update);
    more.addEventListener("click", () => {
      const before = list.childElementCount;
      extend();
      const first = list.children[before];
      if (first) { first.tabIndex = -1; first.focus({ preventScroll: true }); }
    });
  };
  if (one("#lens-data")) lens();

  // Quoted figures: unpacked when first asked for; a list with their sentences, and a table as a file.
  const quoted = () => {
    const [form, count, place, more, saver, foreign] = [".quoted", ".quoted-count", ".quoted-results", ".quoted-more", ".quoted-save", ".quoted-foreign"].map((selector) => one(selector));
    const input = Object.fromEntries(["words", "year", "region", "kind"].map((name) => [name, one("#quoted-" + name)]));
    const heads = words.quoted_columns.split("|");
    let data, sentences, figures, found = [], shown = 0;
    show(form);
    const cells = ({ i, statement }) => {
      const { regions, articles } = sentences, said = (name) => data.words[name][data[name][i]];
      return [statement[4].slice(data.start[i], data.end[i]), data.what[i], data.value[i] ?? "", data.high[i] ?? "", said("unit"), said("kind"),
        said("approx"), said("change"), said("against"), statement[1] || "", statement[2].map((index) => regions[index]).join(words.list_separator),
        statement[4], ...articles[statement[0]].slice(0, 3)];
    };
    const plain = (value) => (value === "" ? "" : value.toLocaleString("en-US", { maximumFractionDigits: 6 }));
    const item = (figure) => {
      const [quantity, what, value, high, unit, , approx, change, against, year, regions, text] = cells(figure);
      const entry = make("li", "", { className: "statement" }), head = make("p", "", { className: "quoted-head" });
      const counted = value === 1 && high === "" ? unit.replace(/(?<=[a-z])s$/, "") : unit;
      const inUnits = plain(value) + (high === "" ? "" : words.range + plain(high)) + (/^[A-Za-z]/.test(unit) ? " " : "") + counted;
      const same = inUnits.replaceAll(",", "") === quantity.replaceAll(",", "");
      const more = [same ? "" : inUnits, approx, (words.sentence_gap ? [change, against] : [against, change]).filter(Boolean).join(words.sentence_gap), regions, year].filter(Boolean);
      head.append(make("b", quantity, { lang: "zh-CN" }));
      if (what) head.append(" ", make("span", what, { lang: "zh-CN" }));
      head.append(" ", make("small", more.join(words.comma)));
      const block = make("blockquote", "", { lang: "zh-CN" });
      block.append(marked(text, [[data.start[figure.i], data.end[figure.i]]]));
      entry.append(head, block, source(sentences.articles[figure.statement[0]]));
      tighten(entry);
      return entry;
    };
    const extend = () => {
      place.append(...found.slice(shown, shown + PAGE).map(item));
      shown = Math.min(found.length, shown + PAGE);
      more.hidden = shown >= found.length;
      more.textContent = fill(words.search_more, { n: Math.min(PAGE, found.length - shown) });
    };
    const update = async () => {
      data ??= await packedJson("#quoted-data");
      sentences ??= await lensData();
      figures ??= data.statement.map((index, i) => ({ i, statement: sentences.statements[index],
        low: (data.what[i] + " " + sentences.statements[index][4]).toLowerCase() }));
      const query = input.words.value.trim(), year = input.year.value, region = input.region.value, kind = input.kind.value;
      const look = (terms) => {
        found = figures.filter(({ i, statement, low }) => (year === "" || statement[1] === Number(year)) && has(statement[2], region)
          && (kind === "" || data.kind[i] === Number(kind)) && terms.every((term) => low.includes(term)));
      };
      look(asked(query));
      foreign.replaceChildren();
      if (!found.length && latin(query)) {
        const names = glossary(sentences.glosses, query);
        if (names.chosen.length) look(names.chosen.map(({ term }) => term.toLowerCase()));
        tellForeign(foreign, query, names, input.words);
      }
      const statements = new Set(found.map(({ statement }) => statement));
      const articles = new Set(found.map(({ statement }) => statement[0])).size;
      count.textContent = found.length ? fill(words.quoted_result, { n: found.length, statements: statements.size, articles }) : words.quoted_none;
      place.replaceChildren();
      saver.hidden = !found.length;
      shown = 0;
      extend();
    };
    onChange(form, count, update);
    more.addEventListener("click", () => {
      const before = place.childElementCount;
      extend();
      const first = place.children[before];
      if (first) { first.tabIndex = -1; first.focus({ preventScroll: true }); }
    });
    saver.addEventListener("click", () => {
      const field = (value) => {
        const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value);
        return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
      };
      const lines = [heads, ...found.map(cells)].map((row) => row.map(field).join(","));
      save(new Blob(["\ufeff" + lines.join("\n") + "\n"], { type: types.csv }), words.quoted_file + ".csv");
    });
  };
  if (one("#quoted-data")) quoted();

  if (location.hash) reveal();
})();
