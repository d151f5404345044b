//! The country of a place that a network names in words.
//!
//! Only what the words say outright: provinces of China, countries by their English or Chinese name. Cities other than the
//! municipalities are not looked up, and nothing is guessed from coordinates.

use heurpipe_core::Place;

/// A place by name, with its country where the name says it.
pub(crate) fn place(name: &str) -> Place {
    let mut place = Place::named(name);
    place.country = country(name).map(str::to_owned);
    place
}

/// The country that a name such as `广东 韶关`, `海外 美国`, `Paris, France` or `北京` says: ISO 3166-1 alpha-2.
///
/// The parts of the name are looked up whole, the last first, since both `海外 美国` and `Paris, France` end with the country.
pub(crate) fn country(name: &str) -> Option<&'static str> {
    let whole = name.trim().to_lowercase();
    code(&whole).or_else(|| {
        whole
            .split([',', '，', '·', '|', '/'])
            .flat_map(|part| std::iter::once(part).chain(han_words(part)))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .filter_map(code)
            .last()
    })
}

/// The words of a part that are written in Han: Weibo separates province and city by a space. Latin names keep theirs.
fn han_words(part: &str) -> impl Iterator<Item = &str> {
    part.split_whitespace().filter(|word| !word.is_ascii())
}

fn code(name: &str) -> Option<&'static str> {
    if is_chinese_province(name) {
        return Some("CN");
    }
    COUNTRIES
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(code, _)| *code)
}

fn is_chinese_province(name: &str) -> bool {
    let short = ["省", "市", "自治区"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    PROVINCES.contains(&short)
}

const PROVINCES: &[&str] = &[
    "北京",
    "天津",
    "上海",
    "重庆",
    "河北",
    "山西",
    "辽宁",
    "吉林",
    "黑龙江",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "海南",
    "四川",
    "贵州",
    "云南",
    "陕西",
    "甘肃",
    "青海",
    "内蒙古",
    "广西",
    "广西壮族",
    "西藏",
    "宁夏",
    "宁夏回族",
    "新疆",
    "新疆维吾尔",
];

/// Code and names, in lower case. A code of its own may have what is no state: ISO 3166-1 lists regions too.
const COUNTRIES: &[(&str, &[&str])] = &[
    (
        "AE",
        &["united arab emirates", "uae", "阿联酋", "阿拉伯联合酋长国"],
    ),
    ("AR", &["argentina", "阿根廷"]),
    ("AT", &["austria", "österreich", "奥地利"]),
    ("AU", &["australia", "澳大利亚"]),
    ("BE", &["belgium", "belgique", "比利时"]),
    ("BR", &["brazil", "brasil", "巴西"]),
    ("CA", &["canada", "加拿大"]),
    ("CH", &["switzerland", "schweiz", "suisse", "瑞士"]),
    ("CL", &["chile", "智利"]),
    ("CN", &["china", "中国", "中国大陆"]),
    ("CO", &["colombia", "哥伦比亚"]),
    ("CZ", &["czech republic", "czechia", "捷克"]),
    ("DE", &["germany", "deutschland", "德国"]),
    ("DK", &["denmark", "danmark", "丹麦"]),
    ("EG", &["egypt", "埃及"]),
    ("ES", &["spain", "españa", "西班牙"]),
    ("FI", &["finland", "suomi", "芬兰"]),
    ("FR", &["france", "法国"]),
    (
        "GB",
        &[
            "united kingdom",
            "uk",
            "great britain",
            "england",
            "scotland",
            "wales",
            "英国",
        ],
    ),
    ("GR", &["greece", "希腊"]),
    ("HK", &["hong kong", "香港", "中国香港"]),
    ("HU", &["hungary", "匈牙利"]),
    ("ID", &["indonesia", "印度尼西亚", "印尼"]),
    ("IE", &["ireland", "爱尔兰"]),
    ("IL", &["israel", "以色列"]),
    ("IN", &["india", "印度"]),
    ("IT", &["italy", "italia", "意大利"]),
    ("JP", &["japan", "日本"]),
    ("KE", &["kenya", "肯尼亚"]),
    ("KH", &["cambodia", "柬埔寨"]),
    ("KR", &["south korea", "korea", "republic of korea", "韩国"]),
    ("MA", &["morocco", "摩洛哥"]),
    ("MO", &["macau", "macao", "澳门", "中国澳门"]),
    ("MX", &["mexico", "méxico", "墨西哥"]),
    ("MY", &["malaysia", "马来西亚"]),
    ("NG", &["nigeria", "尼日利亚"]),
    (
        "NL",
        &["netherlands", "the netherlands", "nederland", "荷兰"],
    ),
    ("NO", &["norway", "norge", "挪威"]),
    ("NZ", &["new zealand", "新西兰"]),
    ("PE", &["peru", "perú", "秘鲁"]),
    ("PH", &["philippines", "菲律宾"]),
    ("PK", &["pakistan", "巴基斯坦"]),
    ("PL", &["poland", "polska", "波兰"]),
    ("PT", &["portugal", "葡萄牙"]),
    ("QA", &["qatar", "卡塔尔"]),
    ("RO", &["romania", "罗马尼亚"]),
    ("RU", &["russia", "俄罗斯"]),
    ("SA", &["saudi arabia", "沙特阿拉伯", "沙特"]),
    ("SE", &["sweden", "sverige", "瑞典"]),
    ("SG", &["singapore", "新加坡"]),
    ("TH", &["thailand", "泰国"]),
    ("TR", &["turkey", "türkiye", "土耳其"]),
    ("TW", &["taiwan", "台湾", "中国台湾"]),
    ("UA", &["ukraine", "乌克兰"]),
    (
        "US",
        &[
            "united states",
            "united states of america",
            "usa",
            "us",
            "美国",
        ],
    ),
    ("VN", &["vietnam", "viet nam", "越南"]),
    ("ZA", &["south africa", "南非"]),
];

#[cfg(test)]
mod tests {
    use super::country;

    #[test]
    fn the_country_is_read_off_the_name() {
        for (name, expected) in [
            ("广东 韶关", Some("CN")),
            ("海外 美国", Some("US")),
            ("北京", Some("CN")),
            ("北京市", Some("CN")),
            ("香港", Some("HK")),
            ("中国台湾", Some("TW")),
            ("Paris, France", Some("FR")),
            ("South Korea", Some("KR")),
            ("上海·静安寺", Some("CN")),
        ] {
            assert_eq!(country(name), expected, "{name}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for name in ["", "其他", "海外", "韶关", "上海滩餐厅", "Paris", "my home"] {
            assert_eq!(country(name), None, "{name}");
        }
    }
}
