//! What models cost end to end, beside a loop written by hand over ONNX Runtime and beside Python's onnxruntime with Pillow.
//!
//! ```sh
//! cargo bench -p heurpipe-benches --bench inference                          # every case; pictures decoded by zune-jpeg
//! cargo bench -p heurpipe-benches --bench inference --features turbojpeg     # by libjpeg-turbo, which needs cmake and nasm
//! cargo bench -p heurpipe-benches --bench inference -- --quick               # within two minutes
//! cargo bench -p heurpipe-benches --bench inference -- decode                # this case only; no file is written
//! ```
//!
//! | case | question |
//! |---|---|
//! | `decode` | what does it take to decode a picture and to resize it, by each decoder? |
//! | `pictures` | how many pictures a second become annotations, by each model and size of batch? |
//! | `texts` | how many texts a second become vectors? |
//!
//! Ours is the whole way: a pipeline of posts whose pictures lie in a blob store as JPEG, to a sink. The loop by hand has what it needs in memory, decodes,
//! resizes, normalises and calls the session on two threads, and makes nothing of the answer; it has no batches that close, no records and no
//! ledger. Python does the same in threads, in the form that `transformers` gives it: once with Pillow's full decode, once with its draft mode.
//!
//! The larger models lie in the folder that `HEURPIPE_SHARED` names (`../shared` beside the repository, where there is none); what is missing is skipped with a
//! printed reason. Python is `HEURPIPE_TEST_PYTHON`, else `python3`, with onnxruntime, pillow, numpy and tokenizers.

mod by_hand;
mod decode;
mod jobs;
mod material;
mod ours;
mod pictures;
mod python;
mod subjects;
mod texts;

use heurpipe_benches::{AnyResult, Case, run};
use tokio::runtime::Runtime;

const CASES: [(&str, Case); 3] = [
    ("decode", decode::rows),
    ("pictures", pictures::rows),
    ("texts", texts::rows),
];

fn main() -> AnyResult<()> {
    if let Some(job) = by_hand::asked_of_child() {
        return by_hand::child(&job);
    }
    run("inference", &CASES, &Runtime::new()?)
}
