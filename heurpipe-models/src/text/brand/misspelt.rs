//! Names of brands with one letter too many, too few or wrong.

use std::collections::{HashMap, HashSet};

use super::lexicon::{Sort, Spelling};

/// Shorter names are too often one letter away from another word.
const SHORTEST_NAME: usize = 8;

/// Long names by themselves and by what they are without one of their letters. Two words that are one letter apart share such a form.
#[derive(Debug)]
pub(super) struct Misspelt {
    /// Places in `names` by the hash of a form.
    forms: HashMap<u64, Vec<usize>>,
    names: Vec<(String, usize)>,
    /// Words of their own that are one letter away from a name.
    words: HashSet<String>,
}

impl Misspelt {
    pub(super) fn new<'a>(
        spellings: impl Iterator<Item = &'a (String, Spelling)>,
        words: HashSet<String>,
    ) -> Self {
        let plain = spellings.filter(|(name, spelling)| {
            let single = name.bytes().all(|b| b.is_ascii_lowercase());
            let sure = matches!(spelling.sort, Sort::Plain | Sort::Mostly);
            sure && single && name.len() >= SHORTEST_NAME
        });
        let names: Vec<_> = plain
            .map(|(name, spelling)| (name.clone(), spelling.brand))
            .collect();
        let mut forms: HashMap<u64, Vec<usize>> = HashMap::new();
        for (index, (name, _)) in names.iter().enumerate() {
            for form in forms_of(name) {
                forms.entry(form).or_default().push(index);
            }
        }
        Self {
            forms,
            names,
            words,
        }
    }

    /// Words of a folded text that are a brand's name but for one letter, the first excepted: the brands.
    pub(super) fn brands<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        text.split(|c: char| !c.is_ascii_lowercase())
            .filter(|word| word.len() + 1 >= SHORTEST_NAME && !self.words.contains(*word))
            .filter_map(|word| self.brand(word))
    }

    fn brand(&self, word: &str) -> Option<usize> {
        let mut candidates = forms_of(word).filter_map(|form| self.forms.get(&form));
        let near = |index: &&usize| is_one_letter_off(word, &self.names[**index].0);
        candidates
            .find_map(|indices| indices.iter().find(near))
            .map(|index| self.names[*index].1)
    }
}

/// Hashes of a word and of what remains without each of its letters.
fn forms_of(word: &str) -> impl Iterator<Item = u64> + '_ {
    (0..=word.len()).map(|left_out| {
        let kept = word
            .bytes()
            .enumerate()
            .filter(move |(i, _)| *i != left_out);
        kept.fold(0xcbf2_9ce4_8422_2325, |hash, (_, byte)| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    })
}

/// Whether one letter added, left out or changed, behind the first, makes one word the other.
fn is_one_letter_off(word: &str, name: &str) -> bool {
    let (word, name) = (word.as_bytes(), name.as_bytes());
    let alike = word.iter().zip(name).take_while(|(a, b)| a == b).count();
    let (word, name) = (&word[alike..], &name[alike..]);
    alike > 0
        && word != name
        && (rest(word) == rest(name) || rest(word) == name || word == rest(name))
}

fn rest(letters: &[u8]) -> &[u8] {
    letters.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_makes_the_difference() {
        for word in ["balenciga", "balanciaga", "balenciagas", "ballenciaga"] {
            assert!(is_one_letter_off(word, "balenciaga"), "{word}");
        }
        for word in ["balenciaga", "malenciaga", "balencag", "balnecigaa", ""] {
            assert!(!is_one_letter_off(word, "balenciaga"), "{word}");
        }
    }
}
