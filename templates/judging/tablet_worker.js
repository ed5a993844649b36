// Keeps the judge's app on the tablet, whole: all of a version or none of it. What judges give is
// none of its business; see static/js/judge/tablet.js.
const CACHE = "judge-{{ version }}";
const PAGE = "{% url 'judge-home' %}";
const ASSETS = [{% for asset in assets %}"{{ asset|escapejs }}",{% endfor %}];

self.addEventListener("install", (event) => {
  const fresh = [PAGE, ...ASSETS].map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("judge-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("message", (event) => {
  if (event.data === "skip-waiting") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  const isPage = request.mode === "navigate" && url.pathname === PAGE;
  if (!isPage && !ASSETS.includes(url.pathname)) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(isPage ? PAGE : url.pathname, { ignoreVary: true });
    return kept ?? fetch(request);
  };
  event.respondWith(answer());
});
