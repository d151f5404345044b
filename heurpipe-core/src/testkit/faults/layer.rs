//! A part at which things go wrong.

use std::borrow::Borrow;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use super::injector::{Injected, Injector, Plan};
use super::script::Faults;
use crate::middleware::{Answer, Call, Items, Layer, Layered, Read, Work};
use crate::{Checkpoint, Incoming, ItemResult, Page, PostId, Result, Unreadable};

/// A part at which things go wrong by script. Clones share the part and how far the script has been played.
pub type Faulty<P> = Layered<P, Injector>;

impl<P> Faulty<P> {
    /// Plays a script around a part.
    pub fn new(part: P, faults: Faults) -> Self {
        Self::around(part, Injector::new(faults))
    }

    /// What went wrong on purpose so far.
    pub fn injected(&self) -> Injected {
        self.layer().injected()
    }
}

impl Injector {
    /// A call without items of its own, on these posts.
    pub(super) async fn around<T, W, F>(
        &self,
        call: &Call<'_>,
        posts: &[&PostId],
        work: W,
    ) -> Result<T>
    where
        W: Fn() -> F,
        F: Future<Output = Result<T>>,
    {
        let plan = self.plan(call, posts, false);
        plan.before(call).await?;
        let answer = work().await?;
        if plan.twice {
            // Only what it does counts; the caller has the first answer.
            let _ = work().await;
        }
        plan.after(call)?;
        Ok(answer)
    }
}

#[async_trait]
impl Layer for Injector {
    async fn call<T, W, F>(&self, call: &Call<'_>, work: W) -> Result<T>
    where
        T: Send,
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
    {
        self.around(call, &[], work).await
    }

    async fn batch<I, R, W>(&self, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
    where
        I: Items + ?Sized,
        R: Send,
        W: Work<I, R>,
    {
        let plan = {
            let posts: Vec<&PostId> = (0..items.count()).map(|place| items.post(place)).collect();
            self.plan(call, &posts, true)
        };
        plan.before(call).await?;
        let answer = hand_on(&plan, call, items, work).await?;
        if plan.twice {
            // Only what it does counts; the caller has the first answer.
            let _ = hand_on(&plan, call, items, work).await;
        }
        plan.after(call)?;
        Ok(answer)
    }

    fn pages(
        self: Arc<Self>,
        part: String,
        from: Checkpoint,
        read: Read,
    ) -> BoxStream<'static, Result<Page>> {
        stream::unfold(Some(read(from)), move |pages| {
            let injector = Arc::clone(&self);
            let part = part.clone();
            async move {
                let mut pages = pages?;
                let page = match pages.next().await? {
                    Ok(page) => page,
                    Err(error) => return Some((Err(error), None)),
                };
                match injector.page(&Call::page(&part), page).await {
                    Ok(page) => Some((Ok(page), Some(pages))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed()
    }
}

impl Injector {
    /// What arrives of a page.
    async fn page(&self, call: &Call<'_>, mut page: Page) -> Result<Page> {
        // An unreadable item belongs to no post, but has a place like any other.
        let nobody = PostId::new(crate::Platform::new("unreadable"), "");
        let plan = {
            let post = |item| id(item).unwrap_or(&nobody);
            let posts: Vec<&PostId> = page.items.iter().map(post).collect();
            self.plan(call, &posts, true)
        };
        plan.before(call).await?;
        plan.after(call)?;
        for (place, kind) in &plan.fail_items {
            let reason = format!("a fault was injected ({kind})");
            let item = &mut page.items[*place];
            let name = id(item).map(ToString::to_string).unwrap_or_default();
            *item = Incoming::Unreadable(Box::new(Unreadable::new(name, reason, "")));
        }
        if plan.twice {
            page.items.extend(page.items.clone());
        }
        plan.reordered(&mut page.items);
        Ok(page)
    }
}

fn id(item: &Incoming) -> Option<&PostId> {
    match item {
        Incoming::Post(post) => Some(&post.id),
        Incoming::Record(record) => Some(record.id()),
        Incoming::Gone(id) => Some(id),
        Incoming::Unreadable(_) => None,
    }
}

/// Hands the items on as planned, and puts the outcomes back into the caller's order.
async fn hand_on<I, R, W>(plan: &Plan, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
where
    I: Items + ?Sized,
    R: Send,
    W: Work<I, R>,
{
    if plan.leaves_items() {
        return work.run(items).await;
    }
    let places = plan.places(items.count());
    let mut answer = work.run(items.pick(&places).borrow()).await?;
    if answer.outcomes.len() != places.len() {
        return Ok(answer);
    }
    let mut outcomes: Vec<Option<ItemResult<R>>> = (0..items.count()).map(|_| None).collect();
    for (place, outcome) in places.into_iter().zip(answer.outcomes) {
        outcomes[place] = Some(outcome);
    }
    for (place, kind) in &plan.fail_items {
        let error = call.error(*kind).message("a fault was injected");
        outcomes[*place] = Some(Err(error.with("post", items.post(*place))));
    }
    answer.outcomes = outcomes.into_iter().flatten().collect();
    Ok(answer)
}
