//! The Graph API's field grammar: `id,media.limit(5).after(X){id,children{id}}`.

/// One asked-for field with its arguments and the fields asked of what it leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) arguments: Vec<(String, String)>,
    pub(super) fields: Vec<Field>,
}

impl Field {
    pub(super) fn argument(&self, name: &str) -> Option<&str> {
        self.arguments
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Parses a `fields` parameter; `None` where it is malformed.
pub(super) fn parse(text: &str) -> Option<Vec<Field>> {
    let mut rest = text;
    let fields = list(&mut rest)?;
    rest.is_empty().then_some(fields)
}

fn list(rest: &mut &str) -> Option<Vec<Field>> {
    let mut fields = vec![field(rest)?];
    while let Some(after) = rest.strip_prefix(',') {
        *rest = after;
        fields.push(field(rest)?);
    }
    Some(fields)
}

fn field(rest: &mut &str) -> Option<Field> {
    let name = word(rest)?;
    let mut field = Field {
        name,
        arguments: Vec::new(),
        fields: Vec::new(),
    };
    while let Some(after) = rest.strip_prefix('.') {
        *rest = after;
        let name = word(rest)?;
        let (value, after) = rest.strip_prefix('(')?.split_once(')')?;
        field.arguments.push((name, value.to_owned()));
        *rest = after;
    }
    if let Some(after) = rest.strip_prefix('{') {
        *rest = after;
        field.fields = list(rest)?;
        *rest = rest.strip_prefix('}')?;
    }
    Some(field)
}

fn word(rest: &mut &str) -> Option<String> {
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn nested_fields_with_arguments_are_read_and_malformed_ones_refused() {
        let fields = parse(
            "business_discovery.username(zara.it){id,media.limit(5).after(QV==){id,children{id}}}",
        )
        .unwrap_or_default();
        assert_eq!(fields[0].argument("username"), Some("zara.it"));
        assert_eq!(fields[0].fields[1].argument("after"), Some("QV=="));
        assert_eq!(fields[0].fields[1].fields[1].fields[0].name, "id");
        assert_eq!(parse("id,{name}"), None);
        assert_eq!(parse("id{name"), None);
    }
}
