// The visit and its pages. A visit is what this tab remembers (sessionStorage), also over page loads; a change of route in
// a single-page application is a page like any other.
const counted = C.invitations.length > 0; // then visits and invitations are counted in localStorage
const visit = visited.get("v") || {id: random(), events: {}, journeys: {}, invites: {}};
const record = (counted && kept.get("i")) || {visits: 0, shown: {}};
const keepVisit = () => visited.set("v", visit);

if (!visit.count) {
  visit.count = record.visits += 1;
  visit.back = visit.count > 1 || Boolean(S.key);
  if (counted) kept.set("i", record);
  keepVisit();
}

const page = {url: "", seconds: 0, scrolled: 0, touched: Date.now(), exit: false};

// Called whenever the address may have changed; `again`: tell it in any case.
const moved = (again) => {
  if (page.url === location.href && again !== true) return;
  const first = !page.url;
  Object.assign(page, {url: location.href, seconds: 0, scrolled: 0, exit: false});
  if (!first) setTimeout(() => send({t: "page", url: location.href.slice(0, 1000), title: document.title.replace(/^\(\d+\) /, "").slice(0, 200)}), 300); // its title comes after it
  if (first || again !== true) travel((place) => place.url && fits(place.url));
};

["pushState", "replaceState"].forEach((name) => {
  const before = history[name];
  history[name] = function (...values) {
    const result = before.apply(this, values);
    setTimeout(moved);
    return result;
  };
});
["popstate", "hashchange"].forEach((name) => addEventListener(name, () => setTimeout(moved)));

const fits = (pattern) => {
  const whole = /^https?:/i.test(pattern);
  const address = whole ? location.href : location.pathname + location.search + (pattern.includes("#") ? location.hash : "");
  return new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`, "i").test(address);
};

// Journeys: `matches` says whether a start or an end is here now.
const travel = (matches) => {
  for (const {key, start, done} of C.journeys) {
    const run = visit.journeys[key];
    if (!run && matches(start)) {
      visit.journeys[key] = {at: Date.now()};
      send({t: "journey", key, what: "start"}, true);
    } else if (run && !run.done && matches(done)) {
      run.done = true;
      send({t: "journey", key, what: "done"}, true);
      converted(key);
    }
  }
  keepVisit();
};

// What is kept of a table: words, numbers, truths.
const flat = (values) => {
  for (const [name, value] of Object.entries(values || {})) if (Object(value) === value) dropped(name);
  return {...values};
};

const track = (name, data) => {
  if (!/^[\w.:-]{1,60}$/.test(name)) return dropped(name);
  visit.events[name] = flat(data);
  send({t: "event", cid: random(), name, data: visit.events[name]}, true);
  travel((place) => place.event === name);
  consider();
};
