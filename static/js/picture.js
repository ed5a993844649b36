// Pictures follow the window; one whose place is taken off the page is thrown away.
const charts = new Set();
function chartIn(box) {
  const chart = echarts.getInstanceByDom(box) ?? echarts.init(box, null, { renderer: "svg" });
  charts.add(chart);
  return chart;
}
window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
document.addEventListener("htmx:beforeCleanupElement", (event) => {
  for (const chart of charts) {
    if (!event.target.contains(chart.getDom())) continue;
    charts.delete(chart);
    chart.dispose();
  }
});

// The picture of a ranking: bars of the components, stacked, from a json_script.
document.querySelectorAll("[data-picture]").forEach((box) => {
  const data = JSON.parse(document.getElementById(box.dataset.picture).textContent);
  box.style.height = `${Math.max(240, 70 + data.teams.length * 26)}px`;
  const chart = chartIn(box);
  const narrow = box.clientWidth < 520;
  chart.setOption({
    color: ["#20597a", "#b3382c", "#5b8c85", "#c08b2d", "#7a5a94", "#8a9a3b", "#4f7fb5", "#a8674a"],
    animation: false,
    grid: { left: 8, right: 24, top: data.series.length > 1 ? 36 : 8, bottom: 8, containLabel: true },
    legend: data.series.length > 1 ? { top: 0, type: narrow ? "scroll" : "plain" } : undefined,
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
    xAxis: { type: "value", max: 100 },
    yAxis: {
      type: "category",
      inverse: true,
      data: data.teams,
      axisLabel: { width: narrow ? 110 : 220, overflow: "truncate" },
    },
    series: data.series.map((part) => ({ ...part, type: "bar", stack: "total", barMaxWidth: 18 })),
  });
});

// A team's own scores, one point a submission.
document.querySelectorAll("[data-history]").forEach((box) => {
  const points = JSON.parse(document.getElementById(box.dataset.history).textContent);
  const chart = chartIn(box);
  chart.setOption({
    color: ["#20597a"],
    animation: false,
    grid: { left: 8, right: 24, top: 16, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: points.map((point) => `#${point.number}`) },
    yAxis: { type: "value", scale: true },
    series: [{ type: "line", symbolSize: 9, data: points.map((point) => point.score) }],
  });
});

// Ranks before and after, one line a team; those that moved stand out.
const drawMoves = (box) => {
  const data = JSON.parse(document.getElementById(box.dataset.moves).textContent);
  const last = Math.max(...data.teams.flatMap((team) => team.ranks));
  box.style.height = `${Math.max(240, 60 + last * 22)}px`;
  const chart = chartIn(box);
  chart.setOption({
    animation: false,
    grid: { left: 16, right: box.clientWidth < 520 ? 110 : 220, top: 32, bottom: 20, containLabel: true },
    tooltip: { trigger: "item" },
    xAxis: { type: "category", position: "top", boundaryGap: false, data: data.labels },
    yAxis: { type: "value", inverse: true, min: 1, max: last, minInterval: 1 },
    series: data.teams.map((team) => ({
      name: team.name,
      type: "line",
      symbolSize: 8,
      data: team.ranks,
      color: team.moved ? "#b3382c" : "#9fb6c2",
      lineStyle: { width: team.moved ? 3 : 1.5 },
      endLabel: { show: true, formatter: team.name, width: 200, overflow: "truncate" },
    })),
  });
};
document.querySelectorAll("[data-moves]").forEach(drawMoves);
document.body.addEventListener("htmx:afterSettle", (event) => {
  event.target.querySelectorAll?.("[data-moves]").forEach(drawMoves);
});

// Ranks over time, one line a team; drawn once there is room for it.
const drawRanks = (box) => {
  const data = JSON.parse(document.getElementById(box.dataset.ranks).textContent);
  const worst = Math.max(10, ...data.teams.flatMap((team) => team.ranks.map((rank) => rank ?? 0)));
  const narrow = box.clientWidth < 520;
  const named = data.teams.length > 1;
  const when = new Intl.DateTimeFormat(document.documentElement.lang, {
    timeZone: data.zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit",
  });
  box.style.height = named ? "420px" : "260px";
  const chart = chartIn(box);
  chart.resize();
  chart.setOption({
    color: ["#20597a", "#b3382c", "#5b8c85", "#c08b2d", "#7a5a94", "#8a9a3b", "#4f7fb5", "#a8674a", "#51636f", "#2f8f6f"],
    animation: false,
    grid: { left: 8, right: named ? (narrow ? 110 : 220) : 24, top: 16, bottom: 8, containLabel: true },
    tooltip: { trigger: "item", formatter: (dot) => `${echarts.format.encodeHTML(dot.seriesName)}<br>${when.format(dot.value[0])}: ${dot.value[1]}` },
    xAxis: { type: "time", axisLabel: { formatter: (at) => when.format(at), hideOverlap: true } },
    yAxis: { type: "value", inverse: true, min: 1, max: worst, minInterval: 1 },
    series: data.teams.map((team) => ({
      name: team.name,
      type: "line",
      symbolSize: 6,
      // A rank holds until the next one.
      step: "end",
      data: team.ranks.map((rank, n) => [Date.parse(data.times[n]), rank]),
      endLabel: { show: named, formatter: team.name, width: narrow ? 100 : 200, overflow: "truncate" },
    })),
  });
};
document.querySelectorAll("[data-ranks]").forEach((box) => {
  const folded = box.closest("details");
  if (!folded || folded.open) drawRanks(box);
  else folded.addEventListener("toggle", () => folded.open && drawRanks(box));
});

// Teams in common of every two judges: the darker, the more.
document.querySelectorAll("[data-heat]").forEach((box) => {
  const data = JSON.parse(document.getElementById(box.dataset.heat).textContent);
  const narrow = box.clientWidth < 520;
  box.style.height = `${Math.max(260, 130 + data.names.length * (narrow ? 26 : 34))}px`;
  const chart = chartIn(box);
  const axis = { type: "category", data: data.names, splitArea: { show: true }, axisTick: { show: false } };
  chart.setOption({
    animation: false,
    grid: { left: 8, right: 16, top: 8, bottom: 56, containLabel: true },
    tooltip: {
      formatter: (cell) =>
        `${data.names[cell.value[0]]} – ${data.names[cell.value[1]]}: ${cell.value[2]} (${data.label})`,
    },
    xAxis: { ...axis, axisLabel: { rotate: 45, width: narrow ? 60 : 110, overflow: "truncate", interval: 0 } },
    yAxis: { ...axis, inverse: true, axisLabel: { width: narrow ? 70 : 150, overflow: "truncate", interval: 0 } },
    visualMap: {
      min: 0, max: Math.max(1, data.most), orient: "horizontal", left: "center", bottom: 0,
      precision: 0, text: [String(data.most), "0"], inRange: { color: ["#eef3f6", "#7fa9bf", "#20597a"] },
    },
    series: [{
      type: "heatmap",
      data: data.cells,
      label: { show: data.names.length <= (narrow ? 10 : 20) },
      itemStyle: { borderColor: "#fff", borderWidth: 1 },
    }],
  });
});

// Every judge's total as a dot, one line a team; what stands out has another shape. The data is renewed
// beside the picture, which stays.
const drawn = new WeakMap();
const drawDots = (box) => {
  const text = document.getElementById(box.dataset.dots).textContent;
  if (drawn.get(box) === text) return;
  drawn.set(box, text);
  const data = JSON.parse(text);
  box.closest("section").hidden = !data;
  if (!data) return;
  const { teams, words } = data;
  box.style.height = `${Math.max(240, 90 + teams.length * 30)}px`;
  const dots = teams.flatMap((team, n) => team.dots.map((dot) => ({ ...dot, team: team.name, value: [dot.total, n] })));
  const means = teams.flatMap((team, n) => (team.mean === null ? [] : [{ team: team.name, value: [team.mean, n] }]));
  const narrow = box.clientWidth < 520;
  const chart = chartIn(box);
  const points = (name, data, options) => ({ name, data, type: "scatter", ...options });
  chart.resize();
  chart.setOption({
    animation: false,
    grid: { left: 8, right: 24, top: 36, bottom: 8, containLabel: true },
    legend: { top: 0 },
    tooltip: {
      formatter: ({ data, seriesName }) =>
        `${echarts.format.encodeHTML(data.team)}<br>${echarts.format.encodeHTML(data.judge || seriesName)}: ${data.value[0].toFixed(2)}`,
    },
    xAxis: { type: "value", min: ({ min }) => Math.max(0, 10 * Math.floor((min - 2) / 10)), max: 100, splitLine: { lineStyle: { color: "#e3eaee" } } },
    yAxis: {
      type: "category",
      inverse: true,
      data: teams.map((team) => team.name),
      splitLine: { show: true, lineStyle: { color: "#e3eaee" } },
      axisLabel: { width: narrow ? 110 : 220, overflow: "truncate" },
    },
    series: [
      points(words.sheet, dots.filter((dot) => !dot.far), { color: "#20597a", symbolSize: 10, itemStyle: { opacity: 0.75 } }),
      points(words.far, dots.filter((dot) => dot.far), { color: "#b3382c", symbol: "triangle", symbolSize: 14 }),
      points(words.mean, means, { color: "#16242e", symbol: "rect", symbolSize: [3, 20] }),
    ],
  });
};
document.querySelectorAll("[data-dots]").forEach(drawDots);
document.body.addEventListener("htmx:afterSettle", () => {
  document.querySelectorAll("[data-dots]").forEach(drawDots);
});
