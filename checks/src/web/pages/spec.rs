//! The closed list of findings of `web-pages`.

use crate::contract::FindingSpec;

pub(super) const NOINDEX: FindingSpec = FindingSpec::critical(
    "page-noindex",
    "The home page tells search engines to leave it out",
    "Nobody finds the product by its name: customers who search for it land at a competitor.",
);
pub(super) const ROBOTS: FindingSpec = FindingSpec::critical(
    "robots-blocks-site",
    "robots.txt shuts all search engines out",
    "Search engines and the previews of chats may not read the site, so that nobody finds it and \
     shared links look broken.",
);
pub(super) const TEST_KEY: FindingSpec = FindingSpec::critical(
    "test-key-live",
    "The live site uses a test key",
    "Customers see a checkout or a sign-in that is a rehearsal: real cards are declined, nothing is \
     charged, and accounts vanish.",
);
pub(super) const LOCALHOST: FindingSpec = FindingSpec::critical(
    "localhost-in-page",
    "The live site points at the developer's machine",
    "What the page loads or links there works for its developer alone; for every customer the form, \
     the preview or the call fails.",
);
pub(super) const ACTIVE: FindingSpec = FindingSpec::critical(
    "mixed-content-active",
    "Browsers refuse to load parts of a page",
    "A script, frame or style sheet over plain http is blocked on an https page, so that customers \
     get a page that does not work.",
);
pub(super) const PASSIVE: FindingSpec = FindingSpec::warning(
    "mixed-content-passive",
    "A page loads pictures or films over plain http",
    "Browsers show a warning or a gap in place of the picture, at the moment when a customer decides \
     whether to trust the site with a card.",
);
pub(super) const NOT_FOUND: FindingSpec = FindingSpec::warning(
    "not-found-answers-ok",
    "Addresses that do not exist answer as if they did",
    "Search engines list empty pages, and a mistyped link in an advertisement is paid for and noticed \
     by nobody.",
);
pub(super) const LEGAL: FindingSpec = FindingSpec::warning(
    "legal-page-missing",
    "A legal page is missing",
    "Card processors ask for these pages before they pay out, advertising networks reject a site \
     without them, and customers dispute charges when they cannot read the rules.",
);
pub(super) const TITLE: FindingSpec = FindingSpec::warning(
    "title-default",
    "The home page has the title of a template, or none",
    "The title is what search results, browser tabs and shared links show: a template's title says \
     that nobody is at home.",
);
pub(super) const ICON_MISSING: FindingSpec = FindingSpec::warning(
    "favicon-missing",
    "The site has no icon",
    "Tabs, bookmarks and search results show an empty sheet, which makes a shop look unfinished.",
);
pub(super) const ICON_DEFAULT: FindingSpec = FindingSpec::warning(
    "favicon-default",
    "The site has the icon of a template",
    "Tabs, bookmarks and search results show the logo of a build tool in place of yours.",
);
pub(super) const LINK: FindingSpec = FindingSpec::warning(
    "link-broken",
    "Links on the main pages lead nowhere",
    "A visitor who wants the price, the help page or the sign-in gets an error and leaves.",
);
pub(super) const CANONICAL: FindingSpec = FindingSpec::warning(
    "canonical-missing",
    "The home page does not name its own address",
    "With and without www, with and without campaign parameters, search engines see several pages \
     that take each other's rank.",
);
pub(super) const CANONICAL_ELSEWHERE: FindingSpec = FindingSpec::warning(
    "canonical-elsewhere",
    "The home page names another site as its own address",
    "Search engines list the other address, often that of a preview, and leave the real site out.",
);
pub(super) const SECURITY: FindingSpec = FindingSpec::info(
    "security-txt-missing",
    "Nobody is named for reports of security holes",
    "Whoever finds a hole and means well does not know whom to tell, and may tell the public first.",
);

pub(super) const ALL: &[FindingSpec] = &[
    NOINDEX,
    ROBOTS,
    TEST_KEY,
    LOCALHOST,
    ACTIVE,
    PASSIVE,
    NOT_FOUND,
    LEGAL,
    TITLE,
    ICON_MISSING,
    ICON_DEFAULT,
    LINK,
    CANONICAL,
    CANONICAL_ELSEWHERE,
    SECURITY,
];
