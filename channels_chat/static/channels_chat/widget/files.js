// Files on their way: chosen, pasted or dropped; each is sent at once and named by the message.
const files = {list: [], box: null};

const addFiles = (chosen) => {
  if (!C.files) return;
  for (const file of chosen) {
    const one = {name: file.name || "image.png", size: file.size, done: 0, raw: file};
    if (file.size > C.mb * 1048576) one.why = t("too_large", {mb: C.mb});
    files.list.push(one);
  }
  if (files.list.length && !S.key && !live() && !S.started) begin({}); // files belong to a session
  drawFiles();
  area?.focus();
};

// The form before a chat comes first; then, or once the session is there, they go.
const pushFiles = () => {
  if (S.key) files.list.filter((one) => !one.request && !one.why).forEach(pushFile);
};

const pushFile = (one) => {
  const request = one.request = new XMLHttpRequest();
  const failed = (words) => { one.why = words || t("upload_failed"); drawFiles(); };
  request.open("POST", `${BASE}${C.path}files/?locale=${lang}`);
  request.setRequestHeader("X-Rabta-Key", S.key);
  request.upload.onprogress = (event) => { one.done = event.loaded / event.total; drawFiles(); };
  request.onload = () => {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* of a proxy, in its own words */ }
    if (!answer.file) return failed(answer.text);
    Object.assign(one, answer);
    drawFiles();
  };
  request.onerror = () => failed();
  const form = new FormData();
  form.append("file", one.raw, one.name);
  request.send(form);
};

const drawFiles = () => {
  if (!files.box) return;
  pushFiles();
  files.box.replaceChildren(...files.list.map((one) => h(one.why ? "div.chip.bad" : "div.chip", null, icon("file"),
    h("span", null, h("b", {dir: "auto"}, one.name), one.why ? h("small", {role: "alert"}, one.why) : one.file ? h("small", {dir: "ltr"}, size(one.size)) : h("progress", {max: 1, value: one.done, "aria-label": one.name})),
    tool("close", t("take_out", {name: one.name}), () => {
      if (!one.file) one.request?.abort();
      files.list = files.list.filter((other) => other !== one);
      drawFiles();
      area.focus();
    }))));
  drawSend();
};

// What a message takes along; what failed stays until it is taken out.
const takeFiles = () => {
  const taken = files.list.filter((one) => one.file).map(({file, name, type, size: bytes, image}) => ({file, name, type, size: bytes, image}));
  files.list = files.list.filter((one) => !one.file);
  return taken;
};
const sendingFiles = () => files.list.some((one) => !one.file && !one.why);
