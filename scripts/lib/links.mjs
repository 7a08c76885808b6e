// Finds the links of a folder of HTML that lead nowhere: to files, to anchors in them, and those that TypeDoc's scripts make.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { inflateSync } from 'node:zlib';

/**
 * @param {string} folder
 * @param {string[]} outside where links may lead that leave the folder, relative to it
 * @returns {string[]} what is wrong, a line for each link
 */
export function brokenLinks(folder, outside = []) {
  const pages = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((file) => file.endsWith('.html'));
  const links = [...pages.flatMap(linksOfPage), ...linksOfScripts(folder)];
  const anchors = new Map();
  const isThere = (file, anchor) => {
    if (!anchor || !file.endsWith('.html')) return true;
    if (!anchors.has(file)) anchors.set(file, anchorsOf(readFileSync(file, 'utf8')));
    return anchors.get(file).has(anchor);
  };
  const allowed = outside.map((path) => resolve(folder, path));

  const wrong = ({ from, link }) => {
    if (/^[a-z][a-z+.-]*:/i.test(link)) {
      return /^https:/.test(link) && URL.canParse(link) ? undefined : 'is no address that starts with https:';
    }
    if (link.startsWith('/')) return 'is not relative: it breaks below a path';
    const [path, anchor = ''] = link.split('#');
    const to = path === '' ? from : resolve(dirname(from), decodeURI(path));
    if (allowed.includes(to)) return undefined;
    if (relative(folder, to).startsWith('..')) return 'leaves the folder';
    if (!existsSync(to)) return 'is a link to a file that is not there';
    if (!statSync(to).isFile()) return 'is a link to a folder, which files have no page for';
    return isThere(to, decodeURIComponent(anchor)) ? undefined : 'is a link to an anchor that is not there';
  };
  return links.flatMap((one) => {
    const what = wrong(one);
    return what ? [`${relative(folder, one.from)}: ${one.link} ${what}`] : [];
  });
}

const ENTITIES = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>' };
const decode = (text) => text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => ENTITIES[entity]);

/** Attributes of tags, which leaves out what code examples show: their quotes and brackets are entities. */
const attributes = (html, name) =>
  [...html.matchAll(/<[a-z][^<>]*>/gi)].flatMap(([tag]) =>
    [...tag.matchAll(new RegExp(`\\s(?:${name})="([^"]*)"`, 'g'))].map(([, value]) => decode(value)),
  );

const linksOfPage = (file) =>
  attributes(readFileSync(file, 'utf8'), 'href|src').map((link) => ({ from: file, link }));

const anchorsOf = (html) => new Set(attributes(html, 'id|name'));

/** What the navigation and the search of TypeDoc lead to: compressed JSON, relative to the folder. */
function linksOfScripts(folder) {
  const base = join(folder, 'index.html');
  return ['navigation', 'search'].flatMap((name) => {
    const script = readFileSync(join(folder, 'assets', `${name}.js`), 'utf8');
    const [, packed] = /^window\.\w+ = "([^"]+)"/.exec(script) ?? [];
    if (!packed) throw new Error(`${name}.js is not as links.mjs expects it`);
    const found = [...linksIn(JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString()))];
    if (found.length === 0) throw new Error(`${name}.js has no links that links.mjs can find`);
    return found.map((link) => ({ from: base, link }));
  });
}

function* linksIn(value) {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if ((key === 'path' || key === 'url') && typeof inner === 'string') yield inner;
    else yield* linksIn(inner);
  }
}
