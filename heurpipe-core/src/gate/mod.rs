//! A ready gate: which posts people should look at before they go on.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Annotation, By, Digest, ItemResult, QualityGate, Question, Record, Result, Target, Value,
    Verdict,
};

/// Holds posts for review by a policy; what people have decided goes through.
///
/// ```
/// use heurpipe_core::gate::{ReviewGate, audit, uncertain};
/// let gate = ReviewGate::policy(["garment"], uncertain(0.1).or(audit(0.02)));
/// # use heurpipe_core::QualityGate;
/// assert_eq!(gate.describe(), "hold when garment is within 0.1 of its threshold, or 2 % as a sample");
/// ```
#[derive(Debug, Clone)]
pub struct ReviewGate {
    attributes: Vec<String>,
    policy: Policy,
}

impl ReviewGate {
    /// A gate that asks about these attributes by this policy.
    pub fn policy<T: Into<String>>(
        attributes: impl IntoIterator<Item = T>,
        policy: Policy,
    ) -> Self {
        Self {
            attributes: attributes.into_iter().map(Into::into).collect(),
            policy,
        }
    }

    fn judge_one(&self, record: &Record) -> Verdict {
        let undecided: Vec<&String> = self
            .attributes
            .iter()
            .filter(|attribute| !decided(record, attribute))
            .collect();
        let mut questions = Vec::new();
        let mut reasons: Vec<String> = Vec::new();
        for attribute in undecided {
            if let Some(reason) = self.policy.asks(record, attribute) {
                questions.extend(question(record, attribute));
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
        if questions.is_empty() {
            return Verdict::Accept;
        }
        Verdict::Hold {
            reason: reasons.join(", "),
            tasks: questions,
            group: None,
        }
    }
}

#[async_trait]
impl QualityGate for ReviewGate {
    fn name(&self) -> &str {
        "review"
    }

    fn describe(&self) -> String {
        format!(
            "hold when {}",
            self.policy.describe(&self.attributes.join(" or "))
        )
    }

    fn needs(&self) -> &[String] {
        &self.attributes
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        Ok(records.iter().map(|r| Ok(self.judge_one(r))).collect())
    }
}

/// When to ask people about an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// A model's confidence is less than this away from its threshold (0.5 where it has none).
    Uncertain(f32),
    /// The post belongs to a sample of this share, chosen by the hash of its id.
    Audit(f64),
    /// Either of two.
    Or(Box<Policy>, Box<Policy>),
}

/// Ask when a model's confidence is less than `margin` away from its threshold.
pub fn uncertain(margin: f32) -> Policy {
    Policy::Uncertain(margin)
}

/// Ask about a sample of this share, 0 to 1, chosen by the hash of the post's id: the same posts in every run.
pub fn audit(share: f64) -> Policy {
    Policy::Audit(share)
}

impl Policy {
    /// This or the other.
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    fn asks(&self, record: &Record, attribute: &str) -> Option<String> {
        match self {
            Self::Uncertain(margin) => closest_call(record, attribute)
                .filter(|distance| distance < margin)
                .map(|_| format!("{attribute} is uncertain")),
            Self::Audit(share) => {
                let id = record.id().to_string();
                let place = Digest::of_parts([b"audit".as_slice(), id.as_bytes()]).unit_interval();
                (place < *share && has(record, attribute)).then(|| "audit".to_owned())
            }
            Self::Or(first, second) => first
                .asks(record, attribute)
                .or_else(|| second.asks(record, attribute)),
        }
    }

    fn describe(&self, attributes: &str) -> String {
        match self {
            Self::Uncertain(margin) => format!("{attributes} is within {margin} of its threshold"),
            Self::Audit(share) => format!("{} % as a sample", share * 100.0),
            Self::Or(first, second) => {
                format!(
                    "{}, or {}",
                    first.describe(attributes),
                    second.describe(attributes)
                )
            }
        }
    }
}

fn decided(record: &Record, attribute: &str) -> bool {
    record
        .annotations
        .iter()
        .any(|a| a.attribute == attribute && matches!(a.by, By::Person(_)))
}

fn has(record: &Record, attribute: &str) -> bool {
    said_of(record, attribute).next().is_some()
}

/// What people and promoted models said of an attribute.
fn said_of<'a>(record: &'a Record, attribute: &'a str) -> impl Iterator<Item = &'a Annotation> {
    let annotations = record.annotations.iter();
    annotations.filter(move |a| a.attribute == attribute && !a.is_shadow())
}

/// How far the least certain of the models' words is from its threshold.
fn closest_call(record: &Record, attribute: &str) -> Option<f32> {
    said_of(record, attribute)
        .filter_map(|a| match (&a.by, a.confidence) {
            (By::Producer(producer), Some(confidence)) => {
                Some((confidence - producer.threshold.unwrap_or(0.5)).abs())
            }
            _ => None,
        })
        .min_by(f32::total_cmp)
}

/// One question per target that a model has spoken about.
fn question(record: &Record, attribute: &str) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for annotation in said_of(record, attribute) {
        let suggestions = suggestions(&annotation.value, annotation.confidence);
        match questions.iter_mut().find(|q| q.target == annotation.target) {
            Some(question) => question.suggestions.extend(suggestions),
            None => questions.push(Question {
                attribute: attribute.to_owned(),
                target: annotation.target.clone(),
                suggestions,
            }),
        }
    }
    for question in &mut questions {
        // Best first; a word without a degree of certainty comes after those that have one.
        let certainty = |confidence: Option<f32>| confidence.unwrap_or(f32::NEG_INFINITY);
        question
            .suggestions
            .sort_by(|a, b| certainty(b.1).total_cmp(&certainty(a.1)));
    }
    if questions.is_empty() {
        questions.push(Question {
            attribute: attribute.to_owned(),
            target: Target::Post,
            suggestions: Vec::new(),
        });
    }
    questions
}

fn suggestions(value: &Value, confidence: Option<f32>) -> Vec<(String, Option<f32>)> {
    value
        .labels()
        .into_iter()
        .map(|l| (l, confidence))
        .collect()
}
