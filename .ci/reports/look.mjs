// Opens reports in a headless Chromium and fails on script errors, on any request beyond the file itself, on
// what the accessibility checker finds, and on what a reader would stumble over.
//
// node look.mjs FOLDER [SCREENSHOTS]: FOLDER holds passing.html, failing.html, large.html.
import { createRequire } from "node:module";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const pictures = process.argv[3] && resolve(process.argv[3]);
const require = createRequire(join(folder, "index.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const wrong = [];
const fail = (name, words) => wrong.push(`${name}: ${words}`);
const url = (name) => pathToFileURL(join(folder, `${name}.html`)).href;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  chromiumSandbox: false,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

// A page that tells of every error and of every request.
const open = async (name, options) => {
  const label = `${name} (${options.colorScheme ?? "light"}, ${options.viewport.width} wide)`;
  // The checker is put in by the devtools, which the page's own policy does not concern.
  const context = await browser.newContext({ ...options, bypassCSP: false });
  const page = await context.newPage();
  // A busy machine takes its time; a page that never comes is an error all the same.
  page.setDefaultTimeout(180_000);
  page.on("console", (message) => { if (message.type() !== "log") fail(label, `the console says: ${message.text()}`); });
  page.on("pageerror", (error) => fail(label, `script error: ${error.message}`));
  page.on("request", (request) => { if (request.url().split("#")[0] !== url(name)) fail(label, `asks for ${request.url()}`); });
  try {
    await page.goto(url(name), { waitUntil: "load" });
  } catch (error) {
    // That says nothing of the page: the browser itself does not get on.
    if (error.name !== "TimeoutError") throw error;
    console.error(`${label}: the browser opens nothing in time; the pages are not judged`);
    process.exit(75);
  }
  return { context, page, label };
};

const accessible = async (page, label) => {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
  }));
  for (const violation of found.violations) {
    fail(label, `axe ${violation.id} (${violation.impact}): ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.target).join(" ; ")}`);
  }
  return found.passes.length;
};

const wide = { width: 1280, height: 960 };
const phone = { width: 390, height: 844 };
const picture = async (page, file, options = {}) => {
  if (pictures) await page.screenshot({ path: join(pictures, file), ...options });
};

for (const name of ["passing", "failing"]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [wide, phone]) {
      const { context, page, label } = await open(name, { colorScheme, viewport });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) fail(label, `${over} pixels wider than the window`);
      if (name === "failing" && viewport === wide) await picture(page, `report-${colorScheme}.png`);
      if (name === "failing" && viewport === phone && colorScheme === "light") await picture(page, "report-phone.png");
      if (name === "failing" && (viewport === wide) === (colorScheme === "light")) {
        await page.evaluate(() => document.getElementById("steps").scrollIntoView({ behavior: "instant" }));
        await picture(page, `report-steps-${viewport === wide ? "light" : "phone"}.png`);
      }
      await accessible(page, label);
      await page.click("#unfold");
      const folded = await page.locator("details:not([open])").count();
      if (folded > 0) fail(label, `${folded} steps stay folded`);
      const unfolded = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (unfolded > 0) fail(label, `unfolded, ${unfolded} pixels wider than the window`);
      await accessible(page, `${label}, unfolded`);
      await context.close();
    }
  }
}

// Keyboard, search, links, colours.
{
  const { context, page, label } = await open("failing", { viewport: wide });
  await page.keyboard.press("Tab");
  if (await page.evaluate(() => document.activeElement.className) !== "skip") fail(label, "the first stop is not the way past the head");
  await page.keyboard.press("/");
  await page.keyboard.type("not become healthy");
  const shown = await page.locator("#rows > li:not([hidden])").count();
  const said = await page.textContent("#shown");
  if (shown < 1 || shown > 3 || !said.startsWith(`${shown} of `)) fail(label, `a search in logs shows ${shown} steps and says ${said}`);
  await page.keyboard.type(" nothing has this");
  if (!(await page.isVisible("#none"))) fail(label, "nothing says that nothing fits");
  await page.keyboard.press("Escape");
  await page.selectOption("#state", "failed");
  const failed = await page.locator("#rows > li:not([hidden])").count();
  if (failed < 1 || failed !== await page.locator("#rows > li[data-state=failed]").count()) fail(label, "the filter by outcome");
  await page.selectOption("#order", "ms");
  const lengths = await page.locator("#rows > li").evaluateAll((rows) => rows.map((row) => Number(row.dataset.ms)));
  if (lengths.some((ms, n) => n > 0 && ms > lengths[n - 1])) fail(label, "the order by length");
  await page.locator(".cause h3 a").first().click();
  if (!(await page.locator(":target > details").getAttribute("open") !== null)) fail(label, "a link to a step does not unfold it");
  await page.locator("#drawing [data-step='1']").click();
  if (!page.url().endsWith("#step-1")) fail(label, "a click into the graph does not lead to the step");
  await page.click("#theme"); await page.click("#theme");
  if (await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme) !== "dark") fail(label, "the colours do not change");
  await context.close();
}

// Without JavaScript everything is there.
{
  const { context, page, label } = await open("failing", { viewport: wide, javaScriptEnabled: false });
  for (const words of ["What went wrong", "ended with exit code", "not run because of it"]) {
    if (!(await page.textContent("main")).includes(words)) fail(`${label}, no script`, `«${words}» is missing`);
  }
  if (await page.isVisible("#controls")) fail(`${label}, no script`, "there are controls that do nothing");
  await page.locator("summary").first().click();
  if (await page.locator("details[open]").count() !== 1) fail(`${label}, no script`, "a step does not unfold");
  await context.close();
}

// 500 steps stay fluent.
{
  const times = [];
  for (let n = 0; n < 5; n += 1) {
    const { context, page } = await open("large", { viewport: wide });
    times.push(await page.evaluate(() => {
      const [entry] = performance.getEntriesByType("navigation");
      return { interactive: entry.domInteractive, load: entry.loadEventEnd };
    }));
    await context.close();
  }
  times.sort((a, b) => a.load - b.load);
  const { context, page, label } = await open("large", { viewport: wide });
  const steps = await page.locator("#rows > li").count();
  if (steps < 500) fail(label, `only ${steps} steps`);
  const took = await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const timed = async (act) => { const from = performance.now(); act(); await frame(); return Math.round(performance.now() - from); };
    const search = document.getElementById("search");
    const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); };
    return {
      "the first search": await timed(() => type("failed")),
      "the next search": await timed(() => type("failed p")),
      "all steps again": await timed(() => type("")),
      "unfolding all": await timed(() => document.getElementById("unfold").click()),
      "scrolling to the end": await timed(() => window.scrollTo(0, document.body.scrollHeight)),
    };
  });
  const bytes = statSync(join(folder, "large.html")).size;
  console.log(`large.html: ${steps} steps, ${(bytes / 1024).toFixed(0)} KiB, ready for input after ${Math.round(times[2].interactive)} ms, loaded after ${Math.round(times[2].load)} ms (median of 5)`);
  for (const [what, ms] of Object.entries(took)) console.log(`  ${what}: ${ms} ms`);
  await context.close();
  const small = await open("large", { viewport: phone });
  const over = await small.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 0) fail(small.label, `${over} pixels wider than the window`);
  await accessible(small.page, small.label);
  await small.context.close();
}

await browser.close();
for (const words of wrong) console.error(`wrong: ${words}`);
if (wrong.length > 0) process.exit(1);
console.log("no script errors, no requests, nothing found by axe-core, nothing wider than its window");
