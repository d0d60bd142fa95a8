// Starts the page. Opened from a disk, a browser lets a page load no module and read no file; then offline.js, which an export holds, has
// them all, and each module becomes a blob whose imports are the blobs of those before it.
"use strict";
(function () {
  function fail(sentence) {
    document.getElementById("main").textContent = sentence;
  }
  function script(name, attributes, then) {
    const s = Object.assign(document.createElement("script"), attributes, { src: name });
    s.onload = then;
    s.onerror = () => fail(`The page is incomplete: ${name} is missing beside it.`);
    document.head.append(s);
  }
  if (location.protocol !== "file:") {
    script("main.js", { type: "module" });
    return;
  }
  script("offline.js", {}, () => {
    const blobs = {};
    const text = (name) => globalThis.labOffline.files[name].replace(/from "\.\/([^"]+)"/g, (_, other) => `from "${blobs[other]}"`);
    for (const name of globalThis.labOffline.modules) {
      blobs[name] = URL.createObjectURL(new Blob([text(name)], { type: "text/javascript" }));
    }
    import(blobs["main.js"]).catch((e) => fail(`The page does not start: ${e.message}`));
  });
})();
