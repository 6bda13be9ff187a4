/* Ranks the sections of the site for a search, in place of Sphinx's list of pages that have every word.
   The file sections.js, which search.py writes, has the sections and their words. Both work without a server. */

const WORD = /[\p{L}\p{N}]+/gu;
// words of a question that say nothing about its subject
const OF_QUESTIONS = new Set(
  ("a about am an and any are as at be been but by can could did do does for from get had has have how i if in into is it its just "
  + "me may might most must my need of on or our shall she should so some such than that the their them then there these they this "
  + "through to too until want was we were what when where which while who whom whose why will with would you your").split(" "),
);
const SHOWN_OF_A_PAGE = 2;
const SATURATION = 1.5; // BM25: how soon more of the same word counts no more
const BY_LENGTH = 0.5; // BM25: how much a long section must have more of a word
const BEST = 15; // the score of the best section: below that of a public name that is the word itself

/** The numbers of sections and their counts of a word, or of all words that begin with it where it is none. */
function found(stem) {
  if (Object.hasOwn(SECTIONS.words, stem)) return [SECTIONS.words[stem]];
  return stem.length < 3 ? [] : Object.keys(SECTIONS.words).filter((word) => word.startsWith(stem)).map((word) => SECTIONS.words[word]);
}

/** The score of every section that has a word of the search. */
function scores(stems) {
  const total = new Map();
  const matched = new Map();
  for (const stem of stems) {
    const best = new Map();
    for (const [numbers, counts] of found(stem)) {
      const rare = Math.log(1 + (SECTIONS.sections.length - numbers.length + 0.5) / (numbers.length + 0.5));
      numbers.forEach((number, i) => {
        const norm = 1 - BY_LENGTH + BY_LENGTH * (SECTIONS.sections[number].length / SECTIONS.length);
        const score = (rare * counts[i] * (SATURATION + 1)) / (counts[i] + SATURATION * norm);
        best.set(number, Math.max(best.get(number) ?? 0, score));
      });
    }
    for (const [number, score] of best) {
      total.set(number, (total.get(number) ?? 0) + score);
      matched.set(number, (matched.get(number) ?? 0) + 1);
    }
  }
  for (const [number, score] of total) {
    const share = matched.get(number) / stems.length;
    total.set(number, score * share * SECTIONS.pages[SECTIONS.sections[number].page].weight);
  }
  return total;
}

/** The sections in the form of Sphinx's results, the best ones of each page. */
Search.performTermsSearch = () => {
  const stemmer = new Stemmer();
  const query = new URLSearchParams(window.location.search).get("q") ?? "";
  const words = query.toLowerCase().match(WORD) ?? [];
  const asked = words.filter((word) => !OF_QUESTIONS.has(word));
  const stems = [...new Set((asked.length ? asked : words).map((word) => stemmer.stemWord(word)))];
  const ranked = [...scores(stems)].sort((a, b) => b[1] - a[1]);
  const ofPage = new Map();
  const results = [];
  for (const [number, score] of ranked) {
    const section = SECTIONS.sections[number];
    const page = SECTIONS.pages[section.page];
    const before = ofPage.get(section.page) ?? 0;
    if (before >= SHOWN_OF_A_PAGE || results.length >= 30) continue;
    ofPage.set(section.page, before + 1);
    const title = section.heading === page.title ? page.title : `${page.title} > ${section.heading}`;
    const anchor = section.anchor ? `#${section.anchor}` : "";
    results.push([page.name, title, anchor, null, (BEST * score) / ranked[0][1], `${page.name}.md`, "text"]);
  }
  return results;
};
