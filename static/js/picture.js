// The picture of a ranking: bars of the components, stacked, from a json_script.
document.querySelectorAll("[data-picture]").forEach((box) => {
  const data = JSON.parse(document.getElementById(box.dataset.picture).textContent);
  box.style.height = `${Math.max(240, 70 + data.teams.length * 26)}px`;
  const chart = echarts.init(box, null, { renderer: "svg" });
  const narrow = box.clientWidth < 520;
  chart.setOption({
    color: ["#20597a", "#b3382c", "#5b8c85", "#c08b2d"],
    animation: false,
    grid: { left: 8, right: 24, top: data.series.length > 1 ? 36 : 8, bottom: 8, containLabel: true },
    legend: data.series.length > 1 ? { top: 0 } : undefined,
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
  window.addEventListener("resize", () => chart.resize());
});

// A team's own scores, one point a submission.
document.querySelectorAll("[data-history]").forEach((box) => {
  const points = JSON.parse(document.getElementById(box.dataset.history).textContent);
  const chart = echarts.init(box, null, { renderer: "svg" });
  chart.setOption({
    color: ["#20597a"],
    animation: false,
    grid: { left: 8, right: 24, top: 16, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: points.map((point) => `#${point.number}`) },
    yAxis: { type: "value", scale: true },
    series: [{ type: "line", symbolSize: 9, data: points.map((point) => point.score) }],
  });
  window.addEventListener("resize", () => chart.resize());
});
