//! How many texts a second become vectors.

use std::sync::Arc;

use heurpipe_benches::{Effort, Measurement, Row, Sample, in_rotation, timed};
use heurpipe_core::Enricher;
use heurpipe_models::EmbedText;
use tokio::runtime::Runtime;

use crate::jobs::{Input, Job};
use crate::ours::{self, Posted};
use crate::subjects::{BATCHES, Sentences};
use crate::{AnyResult, by_hand, material, python};

/// The share of Python's rate that ours is to reach.
const SHARE: f64 = 0.95;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let (Some(native), Some(sentences)) = (ours::native()?, Sentences::find(folder.path())?) else {
        return Ok(Vec::new());
    };
    let texts = material::captions(effort.choose(128, 512));
    let posted = Posted::of_texts(&texts);
    // Ours gives the network one text a call, whatever the size of a peer's batches.
    let enricher: Arc<dyn Enricher> = Arc::new(EmbedText::load(&sentences.folder)?);
    let mut rows = Vec::new();
    for &batch in BATCHES {
        let job = Job {
            library: native.path.clone().unwrap_or_default(),
            network: sentences.network.clone(),
            batch,
            input: Input::Texts {
                tokenizer: sentences.tokenizer.clone(),
                max_tokens: Sentences::MAX_TOKENS,
                texts: texts.clone(),
            },
        };
        let path = folder.path().join("job.json");
        job.write(&path)?;
        let mut by_hand = by_hand::start(&path)?;
        let mut python = python::start(&path)?;
        let mut ours = || timed(|| posted.run(runtime, &enricher, batch));
        let mut whole = || by_hand.turn(by_hand::WHOLE);
        let mut theirs = || match &mut python {
            Some(peer) => peer.turn("texts"),
            None => Ok(Sample::default()),
        };
        let mut turns: [Measurement<'_, _>; 3] = [&mut ours, &mut whole, &mut theirs];
        in_rotation(1, &mut turns)?; // the first turn does not count
        let samples = in_rotation(effort.choose(1, 5), &mut turns)?;
        let case = format!("MiniLM, peers' batch {batch}");
        rows.extend(pair(
            &case,
            by_hand.name(),
            texts.len(),
            samples[0],
            samples[1],
        ));
        if let Some(python) = &python {
            let [rate, cost] = pair(&case, python.name(), texts.len(), samples[0], samples[2]);
            rows.extend([rate.goal(SHARE * samples[2].per_second(texts.len())), cost]);
        }
    }
    Ok(rows)
}

fn pair(case: &str, name: &str, count: usize, ours: Sample, peer: Sample) -> [Row; 2] {
    let rates = [ours, peer].map(|sample| sample.per_second(count));
    let costs = [ours, peer].map(|sample| sample.cpu_us_each(count) / 1000.0);
    [
        Row::rate(case, "texts/s", rates[0], name, rates[1]),
        Row::cost(case, "CPU-ms/text", costs[0], name, costs[1]),
    ]
}
