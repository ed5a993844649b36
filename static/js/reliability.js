// Intervals of ranks, and how each judge scores: bars from low to high with a mark on them. Stands
// behind picture.js, which keeps the charts.
const draw = (box, rows, options) => {
  const narrow = box.clientWidth < 520;
  box.style.height = `${Math.max(220, 60 + rows.length * 26)}px`;
  const chart = chartIn(box);
  const bar = (extra) => ({ type: "bar", stack: "span", barMaxWidth: 12, ...extra });
  chart.setOption({
    animation: false,
    grid: { left: 8, right: 24, top: 28, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: ([first]) => options.said(rows[first.dataIndex]) },
    xAxis: { type: "value", position: "top", ...options.axis },
    yAxis: {
      type: "category", inverse: true, data: rows.map((row) => row.name),
      axisLabel: { width: narrow ? 110 : 220, overflow: "truncate" },
    },
    series: [
      bar({ data: rows.map((row) => row.low), itemStyle: { color: "transparent" }, emphasis: { disabled: true } }),
      bar({
        data: rows.map((row) => row.high - row.low),
        itemStyle: { color: "#9fc0d0", borderRadius: 4 },
        markLine: options.line,
      }),
      { type: "scatter", symbolSize: 11, data: rows.map((row) => row.at), itemStyle: { color: "#b3382c" }, z: 5 },
    ],
  });
};

const lowest = (rows) => Math.max(0, 10 * Math.floor((Math.min(...rows.map((row) => row.low)) - 2) / 10));
const dataOf = (id) => JSON.parse(document.getElementById(id).textContent);
const safe = (text) => echarts.format.encodeHTML(text);

document.querySelectorAll("[data-ranks]").forEach((box) => {
  const { teams, top } = dataOf(box.dataset.ranks);
  const rows = teams.map((team) => ({ ...team, at: team.rank }));
  draw(box, rows, {
    axis: { min: 1, minInterval: 1 },
    said: (row) => `${safe(row.name)}: ${row.rank} (${row.low}–${row.high})`,
    line: {
      silent: true, symbol: "none", label: { formatter: String(top), position: "start" },
      lineStyle: { color: "#16242e", type: "dashed" }, data: [{ xAxis: top + 0.5 }],
    },
  });
});

document.querySelectorAll("[data-judges]").forEach((box) => {
  const { judges } = dataOf(box.dataset.judges);
  draw(box, judges.map((judge) => ({ ...judge, at: judge.mean })), {
    axis: { min: lowest(judges), max: 100 },
    said: (row) => `${safe(row.name)}: ${row.mean} ± ${row.spread} (${row.low}–${row.high})`,
  });
});
