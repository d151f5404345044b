//! How many pictures a second become annotations.

use heurpipe_benches::{Effort, Peer, Row, Sample, in_rotation, timed};
use tokio::runtime::Runtime;

use crate::jobs::{Input, Job};
use crate::ours::{self, Posted};
use crate::subjects::{self, Subject};
use crate::{AnyResult, by_hand, material, python};

/// The share of the loop's rate that ours is to reach.
const SHARE: f64 = 0.95;
/// How many times faster than Python with Pillow's full decode ours is to be, with libjpeg-turbo.
const TIMES_PYTHON: f64 = 1.5;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let Some(native) = ours::native()? else {
        return Ok(Vec::new());
    };
    let library = native.path.clone().unwrap_or_default();
    let folder = tempfile::tempdir()?;
    let pictures = material::portraits(effort.choose(64, 256))?;
    let files = material::write(folder.path(), &pictures)?;
    let posted = runtime.block_on(Posted::of_pictures(&pictures))?;
    let mut rows = Vec::new();
    for subject in subjects::of_pictures(folder.path())? {
        for &batch in subject.batches {
            let job = Job {
                library: library.clone(),
                network: subject.network.clone(),
                batch,
                input: Input::Pictures {
                    files: files.clone(),
                    width: subject.size.0,
                    height: subject.size.1,
                    mean: subject.mean,
                    std: subject.std,
                },
            };
            let path = folder.path().join("job.json");
            job.write(&path)?;
            let sides = Sides {
                loop_by_hand: by_hand::start(&path)?,
                python: python::start(&path)?,
            };
            rows.extend(sides.measure(runtime, effort, &posted, &subject, batch, files.len())?);
        }
    }
    Ok(rows)
}

struct Sides {
    loop_by_hand: Peer,
    python: Option<Peer>,
}

impl Sides {
    fn measure(
        mut self,
        runtime: &Runtime,
        effort: Effort,
        posted: &Posted,
        subject: &Subject,
        batch: usize,
        count: usize,
    ) -> AnyResult<Vec<Row>> {
        let enricher = ours::enricher(subject, batch)?;
        let by_hand = std::cell::RefCell::new(&mut self.loop_by_hand);
        let mut ours = || timed(|| posted.run(runtime, &enricher, batch));
        let mut whole = || by_hand.borrow_mut().turn(by_hand::WHOLE);
        let mut network = || by_hand.borrow_mut().turn(by_hand::NETWORK);
        let python = std::cell::RefCell::new(self.python.as_mut());
        let ask_python = |request: &str| match python.borrow_mut().as_mut() {
            Some(peer) => peer.turn(request),
            None => Ok(Sample::default()),
        };
        let mut full = || ask_python(python::FULL);
        let mut draft = || ask_python(python::DRAFT);
        let mut turns: [heurpipe_benches::Measurement<'_, _>; 5] =
            [&mut ours, &mut whole, &mut network, &mut full, &mut draft];
        in_rotation(1, &mut turns)?; // the first turn does not count
        let samples = in_rotation(effort.choose(1, 5), &mut turns)?;
        let names = Names {
            case: format!("{}, batch {batch}", subject.name),
            by_hand: self.loop_by_hand.name().to_owned(),
            python: self.python.as_ref().map(|peer| peer.name().to_owned()),
        };
        Ok(names.rows(&samples, count))
    }
}

struct Names {
    case: String,
    by_hand: String,
    python: Option<String>,
}

impl Names {
    fn rows(&self, samples: &[Sample], count: usize) -> Vec<Row> {
        let [ours, whole, network, full, draft] = samples else {
            return Vec::new();
        };
        let case = &self.case;
        let rate = |name: &str, peer: &Sample| {
            let rates = [ours, peer].map(|sample| sample.per_second(count));
            Row::rate(case, "pictures/s", rates[0], name, rates[1])
        };
        let cost = |name: &str, peer: &Sample| {
            let costs = [ours, peer].map(|sample| sample.cpu_us_each(count) / 1000.0);
            Row::cost(case, "CPU-ms/picture", costs[0], name, costs[1])
        };
        let mut rows = vec![
            rate(&self.by_hand, whole).goal(SHARE * whole.per_second(count)),
            cost(&self.by_hand, whole),
            cost("the network's share of it", network),
        ];
        if let Some(python) = &self.python {
            let (in_full, in_draft) = (
                format!("{python}, Pillow"),
                format!("{python}, Pillow's draft mode"),
            );
            let is_turbo = cfg!(feature = "turbojpeg");
            let goal = |row: Row, goal: f64| if is_turbo { row.goal(goal) } else { row };
            rows.extend([
                goal(rate(&in_full, full), TIMES_PYTHON * full.per_second(count)),
                cost(&in_full, full),
                goal(rate(&in_draft, draft), draft.per_second(count)),
                cost(&in_draft, draft),
            ]);
        }
        rows
    }
}
