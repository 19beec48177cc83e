//! `random:RandomId`: random bytes in several spellings, drawn in the plan.

use crate::resource::author::*;
use crate::resource::random;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::Rng;

/// Random bytes that stay the same until one of the properties changes. Not secret.
///
/// ```yaml
/// suffix:
///   type: random:RandomId
///   properties: {byteLength: 4}
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomId {
    /// The number of bytes.
    #[schemars(range(min = 1, max = 1024), extend("createOnly" = true))]
    pub byte_length: usize,
    /// A string in front of each output but `id`.
    #[schemars(length(max = 1024), extend("createOnly" = true, "writeOnly" = true))]
    pub prefix: Option<String>,
    /// Values that force new bytes when one of them changes.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub keepers: Option<BTreeMap<String, Value>>,
}

/// The outputs of `random:RandomId`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The bytes in base64 for URLs, without padding or prefix.
    #[schemars(extend("from" = ["byteLength"]))]
    pub id: String,
    /// The bytes in base64 for URLs, without padding.
    #[schemars(extend("from" = ["byteLength", "prefix"]))]
    pub b64_url: String,
    /// The bytes in standard base64.
    #[schemars(extend("from" = ["byteLength", "prefix"]))]
    pub b64_std: String,
    /// The bytes in lower-case hexadecimal digits.
    #[schemars(extend("from" = ["byteLength", "prefix"]))]
    pub hex: String,
    /// The bytes as one big-endian number in decimal digits.
    #[schemars(extend("from" = ["byteLength", "prefix"]))]
    pub dec: String,
}

/// What a user names it by, taken apart.
fn imported(text: &str) -> Result<Imported, String> {
    let (prefix, id) = text.rsplit_once(',').unwrap_or(("", text));
    decode(id).map_err(|error| error.to_string())?;
    let mut found = Imported::named(id)?;
    if !prefix.is_empty() {
        found.attrs.insert("prefix".to_owned(), json!(prefix));
    }
    Ok(found)
}

impl Resource for RandomId {
    const TYPE: &'static str = "random:RandomId";
    const HOME: crate::resource::Home = crate::resource::Home::State;
    const IMPORT: Import = Import::Other(
        "the value of its output `id` (base64 for URLs), or `prefix,id`",
        imported,
    );
    type Outputs = Outputs;

    fn import_mismatch(props: &Value, live: &Attributes) -> Option<String> {
        let given = |value: &Value| value["prefix"].as_str().unwrap_or_default().to_owned();
        let whole = live["b64Url"].as_str()?;
        let bare = live["id"].as_str()?;
        let prefix = whole.strip_suffix(bare)?;
        (given(props) != prefix).then(|| format!("the prefix of the imported id is {prefix:?}"))
    }

    const IMPORT_ID_FROM_OUTPUT: Option<ImportIdFromOutput> = Some(import_id_from_output);

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        let length = props["byteLength"]
            .as_u64()
            .and_then(|length| usize::try_from(length).ok());
        let prefix = match props.get("prefix") {
            None => Some(""),
            Some(value) => value.as_str(),
        };
        let (Some(length), Some(prefix)) = (length, prefix) else {
            return Map::new();
        };
        match json!(outputs(&bytes(length, &mut draw.rng), prefix)) {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    async fn create(_cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let prefix = new.props.prefix.as_deref().unwrap_or_default();
        let outputs = match random::decided(&new.decided, "id") {
            Some(id) => outputs(&decode(id)?, prefix),
            None => outputs(&bytes(new.props.byte_length, &mut rand::rng()), prefix),
        };
        Ok(Made::new(outputs.id.clone(), outputs))
    }

    async fn read(_cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let bytes = decode(&read.id)?;
        let props = Self {
            byte_length: bytes.len(),
            ..Self::default()
        };
        let prefix = read.attributes["prefix"].as_str().unwrap_or_default();
        Ok(Some(Live::new(props, outputs(&bytes, prefix))))
    }

    async fn delete(_cx: &Cx, _id: &str, _attributes: &Attributes) -> Result<(), Error> {
        Ok(())
    }

    async fn find(_cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        Ok(known.decided("id").map(str::to_owned))
    }
}

fn bytes(length: usize, rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn decode(id: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(id).map_err(|error| {
        Error::with_hint(
            format!("\"{id}\" is not the id of a random id: {error}"),
            "Write it in base64 for URLs, without padding.",
        )
    })
}

fn outputs(bytes: &[u8], prefix: &str) -> Outputs {
    let id = URL_SAFE_NO_PAD.encode(bytes);
    Outputs {
        b64_url: format!("{prefix}{id}"),
        b64_std: format!("{prefix}{}", STANDARD.encode(bytes)),
        hex: format!("{prefix}{}", hex::encode(bytes)),
        dec: format!("{prefix}{}", decimal(bytes)),
        id,
    }
}

/// The decimal digits of a big-endian number of any size.
fn decimal(bytes: &[u8]) -> String {
    // Nine digits a limb, least significant first.
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![0];
    // Four bytes at a time; a limb times 2^32 fits.
    let (first, rest) = bytes.split_at(bytes.len() % 4);
    for chunk in [first].into_iter().chain(rest.chunks(4)) {
        let mut carry = chunk
            .iter()
            .fold(0, |number, byte| (number << 8) | u64::from(*byte));
        let shift = 8 * chunk.len();
        for limb in &mut limbs {
            let value = (*limb << shift) + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
    }
    let mut digits = String::new();
    for (index, limb) in limbs.iter().rev().enumerate() {
        digits += &if index == 0 {
            limb.to_string()
        } else {
            format!("{limb:09}")
        };
    }
    digits
}

/// Without a prefix; `dec` does not show the number of bytes.
fn import_id_from_output(output: &str, value: &str) -> Option<String> {
    match output {
        "id" | "b64Url" => Some(value.to_owned()),
        "b64Std" => Some(URL_SAFE_NO_PAD.encode(STANDARD.decode(value).ok()?)),
        "hex" => Some(URL_SAFE_NO_PAD.encode(hex::decode(value).ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_outputs_spell_the_same_bytes() {
        let outputs = outputs(&[0xff, 0xfe, 0x00, 0x01], "p-");
        assert_eq!(outputs.id, "__4AAQ");
        assert_eq!(outputs.b64_url, "p-__4AAQ");
        assert_eq!(outputs.b64_std, "p-//4AAQ==");
        assert_eq!(outputs.hex, "p-fffe0001");
        assert_eq!(outputs.dec, "p-4294836225");
        assert_eq!(decimal(&[0xff; 9]), "4722366482869645213695");
        assert_eq!(decimal(&[0, 0]), "0");
    }

    #[test]
    fn nothing_is_decided_on_what_is_unknown() {
        let mut draw = Draw::new(1, "a", 0);
        assert!(RandomId::decide(&json!({"byteLength": null}), &mut draw).is_empty());
        assert!(RandomId::decide(&json!({"byteLength": 2, "prefix": null}), &mut draw).is_empty());
        assert_eq!(
            RandomId::decide(&json!({"byteLength": 2}), &mut draw).len(),
            5
        );
    }

    proptest! {
        #[test]
        fn decimal_agrees_with_a_wide_integer(bytes in prop::collection::vec(any::<u8>(), 0..=16)) {
            let number = bytes.iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
            prop_assert_eq!(decimal(&bytes), number.to_string());
        }
    }
}
