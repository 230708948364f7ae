// $...$ and $$...$$ as mathematics, by the KaTeX in this package; loaded only where a text has some.
// A dollar of money or of a shell ($HOME/$USER, $5 and $6) is left alone: an opening dollar has no
// space behind it, a closing one none before it and no letter or digit after it.

const { katex: script, katexCss } = document.body.dataset;
const MATH = /\$\$([^$]{1,2000}?)\$\$|(?<![\w$\\])\$(?![\s\d.,]+(?:\s|$))(?!\s)([^$\n]{1,500}?)(?<![\s\\])\$(?![\w$])/g;
const LOOKS = /[\\^_=+*<>{}|]|^\w$/; // one letter, or a sign that mathematics has
let loading = null;

function load() {
  loading ??= new Promise((done, failed) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = katexCss;
    const code = document.createElement("script");
    code.src = script;
    code.onload = () => done(window.katex);
    code.onerror = failed;
    document.head.append(style, code);
  });
  return loading;
}

function pieces(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(MATH)) {
    const [whole, block, inline] = match;
    if (inline !== undefined && !LOOKS.test(inline.trim())) continue;
    if (match.index > end) found.push(text.slice(end, match.index));
    found.push({ source: block ?? inline, display: block !== undefined });
    end = match.index + whole.length;
  }
  return found.length ? [...found, text.slice(end)] : null;
}

/** Show the mathematics in an element. Never throws: what KaTeX cannot read stays as typed. */
export async function showMath(element) {
  if (!element.textContent.includes("$")) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const work = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("code, pre")) continue;
    const parts = pieces(node.data);
    if (parts) work.push([node, parts]);
  }
  if (!work.length) return;
  try {
    const katex = await load();
    for (const [node, parts] of work) {
      if (!node.isConnected) continue;
      node.replaceWith(...parts.map((part) => {
        if (typeof part === "string") return part;
        const box = document.createElement("span");
        try {
          katex.render(part.source, box, {
            displayMode: part.display, throwOnError: true, trust: false, strict: "ignore", maxExpand: 100, maxSize: 20,
          });
        } catch {
          box.textContent = part.display ? `$$${part.source}$$` : `$${part.source}$`;
        }
        return box;
      }));
    }
  } catch {
    // Without KaTeX the source stays readable.
  }
}
