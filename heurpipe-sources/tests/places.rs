//! Places in the words of people, Weibo and Instagram: which country each says and by what, and which say none.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;

use heurpipe_core::{CountryBy, Crs};
use heurpipe_sources::place::{self, Address};
use proptest::prelude::*;

/// A country and how it was derived, as a table writes it: `FR city`.
fn said(name: &str) -> String {
    shown(&place::place(name))
}

fn shown(place: &heurpipe_core::Place) -> String {
    let by = place.country_by.map(|by| match by {
        CountryBy::Name => "name",
        CountryBy::Region => "region",
        CountryBy::City => "city",
        CountryBy::Code => "code",
        _ => "other",
    });
    match (&place.country, by) {
        (Some(country), Some(by)) => format!("{country} {by}"),
        (None, None) => "none".to_owned(),
        _ => panic!("a country goes with how it was derived: {place:?}"),
    }
}

/// Checks a table of names a line, `name = FR city`, and tells all that differ.
fn check(table: &str) -> usize {
    let mut wrong = String::new();
    let mut count = 0;
    for line in table.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (name, expected) = line.rsplit_once('=').expect("a name and what it says");
        let (name, expected) = (name.trim(), expected.trim());
        let got = said(name);
        if got != expected {
            writeln!(wrong, "{name}: {got} instead of {expected}").unwrap();
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    count
}

#[test]
fn names_in_many_languages_say_their_country() {
    let count = check(include_str!("places/names.txt"));
    assert!(count >= 120, "{count}");
}

#[test]
fn what_may_mean_several_countries_or_no_place_says_none() {
    let names: Vec<&str> = include_str!("places/none.txt").lines().collect();
    assert!(names.len() >= 30);
    let wrong: Vec<String> = names
        .iter()
        .filter(|name| said(name) != "none")
        .map(|name| format!("{name}: {}", said(name)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const PROVINCES: &str = "北京市 天津市 上海市 重庆市 河北省 山西省 辽宁省 吉林省 黑龙江省 江苏省 浙江省 安徽省 福建省 江西省 山东省 河南省 \
    湖北省 湖南省 广东省 海南省 四川省 贵州省 云南省 陕西省 甘肃省 青海省 内蒙古自治区 广西壮族自治区 西藏自治区 宁夏回族自治区 \
    新疆维吾尔自治区 台湾省 香港特别行政区 澳门特别行政区";
const SHORT: &str = "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 \
    陕西 甘肃 青海 内蒙古 广西 西藏 宁夏 新疆 台湾 香港 澳门";

#[test]
fn every_province_is_known_in_its_long_and_its_short_form() {
    for names in [PROVINCES, SHORT] {
        assert_eq!(names.split_whitespace().count(), 34);
        for name in names.split_whitespace() {
            let expected = match name.chars().next().unwrap() {
                '台' => "TW name",
                '香' => "HK name",
                '澳' => "MO name",
                _ => "CN region",
            };
            assert_eq!(said(name), expected, "{name}");
            assert_eq!(said(&format!("IP属地：{name}")), expected, "{name}");
            assert_eq!(said(&format!("发布于 {name}")), expected, "{name}");
        }
    }
}

#[test]
fn prefectures_are_cities_of_china_with_and_without_what_they_end_with() {
    let cities = "石家庄 唐山 秦皇岛 邯郸 保定 太原 大同 呼和浩特 包头 沈阳 大连 鞍山 长春 哈尔滨 齐齐哈尔 大庆 南京 无锡 徐州 常州 苏州 \
        南通 扬州 杭州 宁波 温州 嘉兴 绍兴 金华 合肥 芜湖 福州 厦门 泉州 南昌 九江 济南 青岛 烟台 潍坊 郑州 洛阳 武汉 宜昌 长沙 株洲 \
        岳阳 广州 韶关 深圳 珠海 汕头 佛山 东莞 中山 南宁 桂林 海口 三亚 成都 绵阳 贵阳 遵义 昆明 大理 拉萨 西安 宝鸡 兰州 西宁 银川 \
        乌鲁木齐 克拉玛依";
    assert!(cities.split_whitespace().count() >= 50);
    for name in cities.split_whitespace() {
        assert_eq!(said(name), "CN city", "{name}");
    }
    for name in [
        "韶关市",
        "延边朝鲜族自治州",
        "延边",
        "西双版纳",
        "喀什地区",
        "锡林郭勒盟",
        "昆山市",
    ] {
        assert_eq!(said(name), "CN city", "{name}");
    }
}

#[test]
fn every_country_is_known_by_its_chinese_and_its_english_name() {
    let mut count = 0;
    for line in include_str!("places/countries.txt").lines() {
        let mut columns = line.split('\t');
        let code = columns.next().unwrap();
        for name in columns {
            // A state of the United States has more people than a tenth of the country of that name.
            let expected = match name {
                "Georgia" => "none".to_owned(),
                _ => format!("{code} name"),
            };
            assert_eq!(said(name), expected, "{name}");
        }
        let coded = place::with_code("somewhere", &code.to_lowercase());
        assert_eq!(shown(&coded), format!("{code} code"));
        count += 1;
    }
    assert_eq!(count, 249);
}

#[test]
fn the_name_is_what_stands_behind_the_introduction() {
    for name in [
        "发布于 北京",
        "IP属地：北京",
        "IP属地:北京",
        "来自北京",
        " 北京 ",
    ] {
        assert_eq!(place::place(name).name, "北京");
    }
    for nothing in ["", "  ", "其他", "无", "发布于 ", "IP属地：其他"] {
        assert_eq!(place::claimed(nothing), None, "{nothing}");
    }
    assert_eq!(shown(&place::claimed("来自河南").unwrap()), "CN region");
    assert_eq!(shown(&place::claimed("海外").unwrap()), "none");
}

#[test]
fn a_code_outweighs_the_name_and_a_wrong_one_is_passed_over() {
    assert_eq!(shown(&place::with_code("Paris", "us")), "US code");
    assert_eq!(shown(&place::with_code("Paris", "")), "FR city");
    assert_eq!(shown(&place::with_code("Paris", "XX")), "FR city");
    assert_eq!(shown(&place::with_code("somewhere", "NY")), "none");
}

#[test]
fn an_address_says_its_country_by_code_region_and_city_in_this_order() {
    let address = |city, region, country_code| Address {
        city,
        region,
        country_code,
    };
    for (address, expected) in [
        (address("Milan", "Lombardy", "IT"), "IT code"),
        (address("London", "Ontario", ""), "CA region"),
        (address("Milan", "", ""), "IT city"),
        (address("", "", ""), "JP city"),
        (address("Springvale Junction", "", ""), "JP city"),
    ] {
        let place = place::with_address("大阪", address);
        assert_eq!(shown(&place), expected, "{address:?}");
        assert_eq!(place.name, "大阪");
    }
}

#[test]
fn a_tagged_place_has_a_name_or_a_point() {
    let both = place::tagged("上海·静安寺", Some(31.22), Some(121.44), Some(Crs::Gcj02)).unwrap();
    assert_eq!(shown(&both), "CN region");
    assert_eq!(
        (both.latitude, both.longitude, both.crs),
        (Some(31.22), Some(121.44), Some(Crs::Gcj02))
    );

    let point = place::tagged(" ", Some(48.85), Some(2.35), None).unwrap();
    assert_eq!((point.name.as_str(), point.country), ("", None));

    for (latitude, longitude) in [(0.0, 0.0), (91.0, 0.0), (0.0, -181.0), (f64::NAN, 1.0)] {
        assert_eq!(
            place::tagged("", Some(latitude), Some(longitude), None),
            None
        );
        let named =
            place::tagged("Paris", Some(latitude), Some(longitude), Some(Crs::Wgs84)).unwrap();
        assert_eq!(
            (named.latitude, named.longitude, named.crs),
            (None, None, None)
        );
    }
    assert_eq!(
        place::tagged("Paris", Some(1.0), None, None)
            .unwrap()
            .latitude,
        None
    );
}

#[test]
fn weibo_codes_name_the_province_and_the_city() {
    for (province, city, name, expected) in [
        ("44", "2", "广东 韶关", "CN region"),
        ("11", "5", "北京 朝阳区", "CN region"),
        ("31", "6", "上海 静安区", "CN region"),
        ("50", "1", "重庆 万州区", "CN region"),
        ("46", "1", "海南 海口", "CN region"),
        ("22", "24", "吉林 延边", "CN region"),
        ("44", "1000", "广东", "CN region"),
        ("11", "3", "北京", "CN region"),
        ("81", "1", "香港", "HK region"),
        ("82", "", "澳门", "MO region"),
        ("71", "1", "台湾", "TW region"),
    ] {
        let place = place::of_weibo_codes(province, city).unwrap();
        assert_eq!(
            (place.name.as_str(), shown(&place).as_str()),
            (name, expected)
        );
        // What it is called reads back as the same country.
        assert_eq!(place::place(name).country, place.country);
    }
    for (province, city) in [
        ("400", "1"),
        ("100", "1000"),
        ("", ""),
        ("99", "1"),
        ("4", "402"),
        ("广", "1"),
    ] {
        assert_eq!(
            place::of_weibo_codes(province, city),
            None,
            "{province} {city}"
        );
    }
}

/// Prints what a look-up costs:
/// `cargo test -p heurpipe-sources --test places -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn a_look_up_is_measured() {
    let table = include_str!("places/names.txt");
    let names: Vec<&str> = table
        .lines()
        .filter_map(|l| Some(l.rsplit_once('=')?.0.trim()))
        .collect();
    let before = std::time::Instant::now();
    let first = place::place("Paris");
    println!("{:?} the first name, {first:?}", before.elapsed());

    let rounds = 1_000;
    let before = std::time::Instant::now();
    let mut known = 0;
    for _ in 0..rounds {
        for name in &names {
            known += usize::from(place::place(std::hint::black_box(name)).country.is_some());
        }
    }
    let each = before.elapsed() / u32::try_from(rounds * names.len()).unwrap();
    println!("{each:?} a name, of {} names", names.len());
    assert_eq!(known, rounds * names.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_reads_and_keeps_its_words(name in "\\PC{0,40}|[ ,，·|/()北京广东市省a-zA-Z]{0,20}") {
        let place = place::place(&name);
        prop_assert_eq!(place.country.is_some(), place.country_by.is_some());
        prop_assert!(name.contains(&place.name));
        prop_assert_eq!(&place::place(&name), &place);
    }

    #[test]
    fn any_code_reads(province in "\\PC{0,4}", city in "\\PC{0,4}") {
        if let Some(place) = place::of_weibo_codes(&province, &city) {
            prop_assert!(place.country.is_some());
        }
        let _ = place::with_code(&province, &city);
    }

    #[test]
    fn case_width_and_white_space_change_nothing(pick in 0usize..6, spaces in " {0,3}") {
        let name = ["Paris, France", "São Paulo, Brazil", "海外 美国", "广东 韶关", "New York, NY", "Springfield"][pick];
        let wide: String = name.chars().map(|c| if c.is_ascii_alphabetic() {
            char::from_u32(u32::from(c) + 0xfee0).unwrap()
        } else { c }).collect();
        for other in [name.to_uppercase(), name.to_lowercase(), wide, format!("{spaces}{name}{spaces}")] {
            prop_assert_eq!(said(&other), said(name));
        }
    }

    #[test]
    fn a_country_stays_itself_behind_the_word_for_overseas(pick in 0usize..5) {
        let name = ["美国", "日本", "英国", "意大利", "韩国"][pick];
        prop_assert_eq!(said(&format!(" 海外 {name}")), said(name));
    }
}
