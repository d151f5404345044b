//! Weibo's codes of provinces: the first two digits of the national code. 100 stands for other and 400 for overseas: neither says where.

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Province {
    /// As Weibo writes it.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
}

/// The province of a code; none where it says no province.
pub(super) fn province(code: &str) -> Option<Province> {
    PROVINCES
        .iter()
        .find(|(known, ..)| *known == code)
        .map(|&(_, name, country)| Province { name, country })
}

const PROVINCES: &[(&str, &str, &str)] = &[
    ("11", "北京", "CN"),
    ("12", "天津", "CN"),
    ("13", "河北", "CN"),
    ("14", "山西", "CN"),
    ("15", "内蒙古", "CN"),
    ("21", "辽宁", "CN"),
    ("22", "吉林", "CN"),
    ("23", "黑龙江", "CN"),
    ("31", "上海", "CN"),
    ("32", "江苏", "CN"),
    ("33", "浙江", "CN"),
    ("34", "安徽", "CN"),
    ("35", "福建", "CN"),
    ("36", "江西", "CN"),
    ("37", "山东", "CN"),
    ("41", "河南", "CN"),
    ("42", "湖北", "CN"),
    ("43", "湖南", "CN"),
    ("44", "广东", "CN"),
    ("45", "广西", "CN"),
    ("46", "海南", "CN"),
    ("50", "重庆", "CN"),
    ("51", "四川", "CN"),
    ("52", "贵州", "CN"),
    ("53", "云南", "CN"),
    ("54", "西藏", "CN"),
    ("61", "陕西", "CN"),
    ("62", "甘肃", "CN"),
    ("63", "青海", "CN"),
    ("64", "宁夏", "CN"),
    ("65", "新疆", "CN"),
    ("71", "台湾", "TW"),
    ("81", "香港", "HK"),
    ("82", "澳门", "MO"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_a_province_or_nothing() {
        let of = |code| province(code).map(|province| (province.name, province.country));
        assert_eq!(of("44"), Some(("广东", "CN")));
        assert_eq!(of("81"), Some(("香港", "HK")));
        for code in ["100", "400", "0", "", "4", "广东"] {
            assert_eq!(of(code), None, "{code}");
        }
    }
}
