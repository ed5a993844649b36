// Texts and names in the language that the judge chose.

const texts = JSON.parse(document.getElementById("texts").textContent);
let language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export const current = () => language;

export function choose(next) {
  language = next === "zh" ? "zh" : "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
}

// A text with its {names} filled in.
export const t = (name, values = {}) =>
  texts[language][name].replace(/\{(\w+)\}/g, (_whole, key) => values[key] ?? "");

// thing.name_zh or thing.name_en; the other one where it is empty.
export function pick(thing, field) {
  const [zh, en] = [thing[`${field}_zh`], thing[`${field}_en`]];
  return language === "zh" ? zh || en : en || zh;
}

export const teamName = (team) => pick(team, "name") || team.code;

export function time(iso, zone) {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  return new Date(iso).toLocaleTimeString(locale, {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
  });
}

export const list = (items) => items.join(language === "zh" ? "、" : ", ");
