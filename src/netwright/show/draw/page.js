// Makes a drawing of a net answer: open a container, search a part, copy its path, show its options and arrays.
for (const root of document.querySelectorAll(".nw-drawing:not([data-ready])")) {
  root.dataset.ready = "";
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const [search, foldAll] = root.querySelectorAll(".nw-bar input, .nw-bar button");
  const hits = root.querySelector(".nw-hits"), about = root.querySelector(".nw-about");
  let pinned = "";
  const make = (tag, text, parent, action) => {
    const one = document.createElement(tag);
    one.textContent = text;
    if (action) one.addEventListener("click", action);
    parent.append(one);
    return one;
  };
  const drawn = path => {  // the same part stands for all that are equal to it
    for (const [copy, first] of data.same)
      if (path === copy || path.startsWith(copy + "/")) path = first + path.slice(copy.length);
    return path;
  };
  const narrow = () => getComputedStyle(root.querySelector(".nw-wide")).display === "none";
  const inside = path => data.inside[drawn(path)];
  const seen = path => [...root.querySelectorAll(".part, .opened")].find(
    one => one.dataset.path === drawn(path) && one.getBoundingClientRect().width > 0);
  const panel = path => [...root.querySelectorAll(".nw-inside")].find(one => one.dataset.path === drawn(path));
  const copy = path => button => navigator.clipboard.writeText(path).then(() => {
    button.target.textContent = "copied";
    setTimeout(() => { button.target.textContent = "copy path"; }, 1200);
  });
  const show = path => {
    const part = data.parts[path];
    if (!part) return;
    about.replaceChildren();
    make("b", path, about);
    about.append("  ");
    make("code", part.text, about);
    about.append("  " + part.sizes + "  ");
    make("button", "copy path", about, copy(path));
    if (!part.arrays.length) return;
    const table = make("table", "", about);
    for (const row of [["array", "shape", "mean", "std", "min", "max"], ...part.arrays]) {
      const line = make("tr", "", table);
      row.forEach(cell => make("td", cell, line));
    }
  };
  const fold = path => {
    panel(path)?.remove();
    seen(path)?.classList.remove("nw-open");
  };
  const unfold = path => {
    const part = seen(path), pictures = inside(path);
    if (!part || !pictures || panel(path) || part.classList.contains("opened")) return;
    const box = document.createElement("div");
    box.className = "nw-inside";
    box.dataset.path = drawn(path);
    const head = make("p", "", box);
    make("span", path, head);
    make("button", "copy path", head, copy(path));
    make("button", "fold", head, () => fold(path));
    const template = root.querySelectorAll("template")[pictures[narrow() ? 1 : 0]];
    box.append(template.content.cloneNode(true));
    for (const one of box.querySelectorAll("[data-path]")) one.dataset.path = drawn(path) + "/" + one.dataset.path;
    ready(box);
    part.classList.add("nw-open");
    part.closest(".nw-inside, .nw-picture").append(box);
  };
  const reveal = path => {
    root.querySelectorAll(".nw-found").forEach(one => one.classList.remove("nw-found"));
    const steps = path.split("/");
    let last = null;
    for (let i = 1; i <= steps.length; i++) {
      const here = steps.slice(0, i).join("/");
      last = seen(here) || last;
      if (i < steps.length) unfold(here);
    }
    last?.classList.add("nw-found");
    last?.scrollIntoView({block: "center", behavior: "smooth"});
    pinned = path;
    show(path);
  };
  const ready = where => where.querySelectorAll(".part").forEach(one => { one.setAttribute("tabindex", "0"); });
  const choose = target => {
    const one = target.closest?.(".part, .opened");
    if (!one || !one.dataset.path) {
      if (!target.closest?.(".nw-bar")) pinned = "";
      return;
    }
    pinned = one.dataset.path;
    show(pinned);
    if (one.classList.contains("part")) (panel(pinned) ? fold : unfold)(pinned);
  };
  root.addEventListener("click", event => choose(event.target));
  root.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.target !== search) choose(event.target);
    if (event.key === "Escape") pinned = "";
  });
  root.addEventListener("pointerover", event => {
    const one = event.target.closest?.(".part, .opened");
    if (!pinned && one) show(one.dataset.path);
  });
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    const found = wanted ? Object.keys(data.parts).filter(
      path => (path + " " + data.parts[path].text).toLowerCase().includes(wanted)) : [];
    hits.replaceChildren();
    found.slice(0, 8).forEach(path => make("button", path, hits, () => reveal(path)));
    if (found.length > 8) make("span", found.length - 8 + " more", hits);
  });
  search.addEventListener("keydown", event => { if (event.key === "Enter") hits.querySelector("button")?.click(); });
  foldAll.addEventListener("click", () => {
    root.querySelectorAll(".nw-inside").forEach(one => one.remove());
    root.querySelectorAll(".nw-open, .nw-found").forEach(one => one.classList.remove("nw-open", "nw-found"));
    pinned = "";
    about.textContent = "Click a container to open it, a part to keep what is said about it.";
  });
  foldAll.click();
  ready(root);
}
