//! Why a runtime refuses a model, in words that help: the file, its opsets, and the operator that is missing.

use std::collections::BTreeSet;

use heurpipe_core::{Error, ErrorKind};
use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::Framework;

use super::Runtime;
use crate::source::ModelBytes;

/// The error of a model that the runtime does not load.
pub(super) fn refusal(
    model: &ModelBytes,
    bytes: &[u8],
    runtime: &Runtime,
    error: ort::Error,
) -> Error {
    let refused = Error::new(ErrorKind::Corrupt, "model.load").with("model", model.name());
    let runtime = runtime.status();
    let Some(proto) = read(bytes) else {
        return refused
            .message("this is no onnx model")
            .with("bytes", bytes.len())
            .cause(error);
    };
    let refused = refused
        .with("opset", opsets(&proto))
        .with("runtime", runtime);
    match missing_operator(&proto, &error.to_string()) {
        Some(operator) => refused
            .message("the runtime does not know an operator of the model")
            .with("operator", operator)
            .cause(error),
        None => refused
            .message("the runtime cannot load the model")
            .cause(error),
    }
}

/// The file's contents, where it is an ONNX model with a graph.
fn read(mut bytes: &[u8]) -> Option<ModelProto> {
    let proto = tract_onnx::onnx().proto_model_for_read(&mut bytes).ok()?;
    proto.graph.is_some().then_some(proto)
}

/// `ai.onnx 17, com.microsoft 1`.
fn opsets(proto: &ModelProto) -> String {
    let opset = |set: &tract_onnx::pb::OperatorSetIdProto| {
        let domain = if set.domain.is_empty() {
            "ai.onnx"
        } else {
            &set.domain
        };
        format!("{domain} {}", set.version)
    };
    let sets: Vec<String> = proto.opset_import.iter().map(opset).collect();
    sets.join(", ")
}

/// The operator of the model that the runtime's message names.
fn missing_operator(proto: &ModelProto, message: &str) -> Option<String> {
    let complains = ["no op registered", "not a registered", "unimplemented"];
    let lower = message.to_lowercase();
    if !complains.iter().any(|words| lower.contains(words)) {
        return None;
    }
    let mut operators = BTreeSet::new();
    if let Some(graph) = &proto.graph {
        collect(graph, &mut operators);
    }
    let words: BTreeSet<&str> = message
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    operators
        .into_iter()
        .find(|(_, operator)| words.contains(operator.as_str()))
        .map(|(domain, operator)| match domain.as_str() {
            "" | "ai.onnx" => operator,
            domain => format!("{domain}.{operator}"),
        })
}

/// The operators of a graph and of those within it.
fn collect(graph: &GraphProto, operators: &mut BTreeSet<(String, String)>) {
    for node in &graph.node {
        operators.insert((node.domain.clone(), node.op_type.clone()));
        let inner = node
            .attribute
            .iter()
            .flat_map(|a| a.g.iter().chain(&a.graphs));
        inner.for_each(|graph| collect(graph, operators));
    }
}
