//! The languages told apart, and the commonest words of those that captions are mostly in.

use whatlang::Lang;

/// Languages with their two letters. The rarer ones that whatlang knows are left out: on short texts they are mistaken for these more often than they
/// are meant.
pub(super) const LANGUAGES: &[(Lang, &str)] = &[
    (Lang::Eng, "en"),
    (Lang::Fra, "fr"),
    (Lang::Ita, "it"),
    (Lang::Spa, "es"),
    (Lang::Deu, "de"),
    (Lang::Por, "pt"),
    (Lang::Nld, "nl"),
    (Lang::Cat, "ca"),
    (Lang::Dan, "da"),
    (Lang::Swe, "sv"),
    (Lang::Nob, "no"),
    (Lang::Fin, "fi"),
    (Lang::Pol, "pl"),
    (Lang::Ces, "cs"),
    (Lang::Hun, "hu"),
    (Lang::Ron, "ro"),
    (Lang::Tur, "tr"),
    (Lang::Ind, "id"),
    (Lang::Vie, "vi"),
    (Lang::Rus, "ru"),
    (Lang::Ukr, "uk"),
    (Lang::Bul, "bg"),
    (Lang::Ell, "el"),
    (Lang::Ara, "ar"),
    (Lang::Pes, "fa"),
    (Lang::Urd, "ur"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Ben, "bn"),
    (Lang::Tha, "th"),
    (Lang::Cmn, "zh"),
    (Lang::Jpn, "ja"),
    (Lang::Kor, "ko"),
];

/// Words by language. A word of several languages counts for each of them.
const WORDS: &[(&str, &str)] = &[
    (
        "en",
        "the a an and of to in is it this that with for my your you i me on at are was be from so all not have made about would who what when how every more now our they he she we his her by but no never one out up off via then too here than just into there don t s been were will can why got get wore wearing dress skirt shoes boots coat shirt lips year day",
    ),
    (
        "fr",
        "le la les un une des et de du en est ce cette ces que qui pour dans sur avec mon ma mes ton sa je tu il elle nous vous plus pas au aux à par rien suis ses son leur mais très où comme chez quand encore toujours robe jupe veste pantalon chaussures manteau d l j n c",
    ),
    (
        "it",
        "il lo la i gli le un uno una e di del della dei in è questo questa che per con su mio mia mi ti si non più ma nel nella da al alla come sono oggi cosa ho ha nei sul sulla dal loro anche così perché sempre gonna vestito scarpe camicia giacca borsa d l",
    ),
    (
        "es",
        "el la los las un una y de del en es este esta que por para con mi tu su no más muy al como hoy se lo le os pero está son mis qué ha he ya sin sus esto todo siempre porque vestido falda zapatos camisa bolso chaqueta",
    ),
    (
        "de",
        "der die das und ist ich du sie es ein eine in zu mit auf für von dem den nicht so wie mein meine dieses dieser auch war sehr nur heute im am bei nach noch schon aber wir ihr sich mir durch wieder immer kleid schuhe mantel tasche rock",
    ),
    (
        "pt",
        "o a os as um uma e de do da em no na é este esta que por para com meu minha não mais muito se ao como hoje foi são você eu",
    ),
    (
        "nl",
        "de het een en van in is dat dit op te met voor mijn je ik niet zijn aan er om ook maar als wat deze heel vandaag",
    ),
];

/// German words that neither English nor the Romance languages write alike, diacritics folded.
const GERMAN: &[&str] = &[
    "der", "das", "und", "ist", "ich", "mein", "meine", "meinem", "dem", "den", "ein", "eine",
    "einen", "mit", "auf", "fur", "von", "bei", "nicht", "sich", "wie", "auch", "sehr", "nur",
    "heute", "schon", "wieder", "ihr", "ihre", "ihren", "mir", "durch", "im", "zum", "aus", "zur",
    "wir",
];

/// The language whose words are clearly the commonest in a text.
pub(super) fn leading(prose: &str) -> Option<&'static str> {
    let lowered = prose.to_lowercase().replace(['\'', '’'], " ");
    let count = |words: &str| {
        let known: Vec<&str> = words.split(' ').collect();
        lowered
            .split_whitespace()
            .filter(|word| known.contains(word))
            .count()
    };
    let mut counts: Vec<(usize, &'static str)> = WORDS
        .iter()
        .map(|(language, words)| (count(words), *language))
        .collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    match counts[..] {
        [(first, language), (second, _), ..] if first >= 2 && first > second => Some(language),
        _ => None,
    }
}

/// Whether several of a text's words are German ones that no other of these languages has.
pub(super) fn is_german(lowered: &str) -> bool {
    let words = lowered.split(|c: char| !c.is_alphabetic());
    words.filter(|word| GERMAN.contains(word)).nth(1).is_some()
}
