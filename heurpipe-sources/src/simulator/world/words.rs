//! Words of the captions: garments, colours and phrases in each language; brands and cities.

use crate::simulator::render::{Colour, Cut};

/// The languages that captions are written in, in the column order of the tables below.
pub(super) const LANGUAGES: [&str; 5] = ["en", "fr", "it", "es", "zh"];

/// Country, column of its language, cities.
pub(super) const COUNTRIES: [(&str, usize, [&str; 3]); 6] = [
    ("US", 0, ["New York", "Los Angeles", "Chicago"]),
    ("GB", 0, ["London", "Manchester", "Bristol"]),
    ("FR", 1, ["Paris", "Lyon", "Marseille"]),
    ("IT", 2, ["Milano", "Roma", "Firenze"]),
    ("ES", 3, ["Madrid", "Barcelona", "Sevilla"]),
    ("CN", 4, ["上海", "北京", "广州"]),
];

/// Provinces of Weibo users with their code, capital and its latitude and longitude.
pub(super) const PROVINCES: [(&str, &str, &str, f64, f64); 6] = [
    ("上海", "31", "上海", 31.2304, 121.4737),
    ("北京", "11", "北京", 39.9042, 116.4074),
    ("广东", "44", "广州", 23.1291, 113.2644),
    ("浙江", "33", "杭州", 30.2741, 120.1551),
    ("四川", "51", "成都", 30.5728, 104.0668),
    ("陕西", "61", "西安", 34.3416, 108.9398),
];

/// Brands as canonical name, Latin spelling, Chinese spelling, handle.
pub(super) const BRANDS: [(&str, &str, &str, &str); 14] = [
    ("zara", "Zara", "Zara", "zara"),
    ("h&m", "H&M", "H&M", "hm"),
    ("gucci", "Gucci", "古驰", "gucci"),
    ("prada", "Prada", "普拉达", "prada"),
    ("miu miu", "Miu Miu", "缪缪", "miumiu"),
    ("uniqlo", "Uniqlo", "优衣库", "uniqlo"),
    ("li-ning", "Li-Ning", "李宁", "lining"),
    ("anta", "Anta", "安踏", "anta"),
    ("nike", "Nike", "耐克", "nike"),
    ("adidas", "Adidas", "阿迪达斯", "adidas"),
    ("dior", "Dior", "迪奥", "dior"),
    ("chanel", "Chanel", "香奈儿", "chanelofficial"),
    ("levi's", "Levi's", "李维斯", "levis"),
    ("mango", "Mango", "Mango", "mango"),
];

/// A garment's name in the language of the given column.
pub(super) fn garment(cut: Cut, language: usize) -> &'static str {
    let names = match cut {
        Cut::TShirt => ["t-shirt", "t-shirt", "maglietta", "camiseta", "T恤"],
        Cut::Pants => ["pants", "pantalon", "pantaloni", "pantalones", "长裤"],
        Cut::Longsleeve => [
            "longsleeve",
            "haut à manches longues",
            "maglia a maniche lunghe",
            "camiseta de manga larga",
            "长袖衫",
        ],
        Cut::Shoes => ["shoes", "chaussures", "scarpe", "zapatos", "鞋子"],
        Cut::Dress => ["dress", "robe", "vestito", "vestido", "连衣裙"],
        Cut::Shirt => ["shirt", "chemise", "camicia", "camisa", "衬衫"],
        Cut::Outwear => ["jacket", "veste", "giacca", "chaqueta", "外套"],
        Cut::Shorts => [
            "shorts",
            "short",
            "pantaloncini",
            "pantalones cortos",
            "短裤",
        ],
        Cut::Hat => ["hat", "chapeau", "cappello", "sombrero", "帽子"],
        Cut::Skirt => ["skirt", "jupe", "gonna", "falda", "半身裙"],
    };
    names[language]
}

/// A colour's name in the language of the given column.
pub(super) fn colour(colour: Colour, language: usize) -> &'static str {
    let names = match colour {
        Colour::Black => ["black", "noir", "nero", "negro", "黑色"],
        Colour::White => ["white", "blanc", "bianco", "blanco", "白色"],
        Colour::Grey => ["grey", "gris", "grigio", "gris", "灰色"],
        Colour::Red => ["red", "rouge", "rosso", "rojo", "红色"],
        Colour::Pink => ["pink", "rose", "rosa", "rosa", "粉色"],
        Colour::Orange => ["orange", "orange", "arancione", "naranja", "橙色"],
        Colour::Yellow => ["yellow", "jaune", "giallo", "amarillo", "黄色"],
        Colour::Green => ["green", "vert", "verde", "verde", "绿色"],
        Colour::Teal => ["teal", "bleu canard", "ottanio", "verde azulado", "青色"],
        Colour::Blue => ["blue", "bleu", "blu", "azul", "蓝色"],
        Colour::Navy => ["navy", "bleu marine", "blu navy", "azul marino", "藏青色"],
        Colour::Purple => ["purple", "violet", "viola", "morado", "紫色"],
        Colour::Brown => ["brown", "marron", "marrone", "marrón", "棕色"],
        Colour::Beige => ["beige", "beige", "beige", "beige", "米色"],
    };
    names[language]
}

/// Sentences with the places {g} garment, {c} colour, {b} brand, {p} city.
pub(super) const PHRASES: [[&str; 5]; 5] = [
    [
        "Obsessed with this {g} in {c}, thank you {b} for everything ✨",
        "New in: the {g} everyone in {p} is asking for. {c} is all I want to wear right now 🛍️",
        "Sunday in {p} and my favourite {g} again. It is from {b} and I am never taking it off",
        "Outfit of the day: {c} {g}, coffee in hand, nowhere to be ☕",
        "Would you wear {c} from head to toe? This {b} {g} made me think about it 💭",
    ],
    [
        "Je suis complètement amoureuse de ce look {b} : {g} en {c}, rien de plus ✨",
        "Nouveauté de la semaine à {p} : {g}, couleur {c}. Vous aimez ? 🛍️",
        "Dimanche à {p} avec ma pièce préférée, signée {b} ({g}, {c})",
        "La tenue du jour : {g} en {c} et un café en terrasse ☕",
        "Le {c} est partout cette saison, et cette pièce {b} ({g}) le prouve 💭",
    ],
    [
        "Innamorata persa di questo look {b}: {g}, colore {c} ✨",
        "Appena arrivato in negozio a {p}: {g} in {c}. Che cosa ne pensate? 🛍️",
        "Domenica a {p} con il mio capo preferito di {b}: {g}",
        "Il look di oggi è semplice: {g} in {c} e un buon caffè ☕",
        "Questa stagione il {c} è dappertutto e {b} lo sa bene ({g}) 💭",
    ],
    [
        "Estoy enamorada de este look de {b}: {g} en color {c} ✨",
        "Recién llegado a la tienda de {p}: {g} en {c}. ¿Qué os parece? 🛍️",
        "Domingo en {p} con mi prenda favorita de {b}: {g}",
        "El look de hoy es muy sencillo: {g} en {c} y un café con leche ☕",
        "Esta temporada el {c} está por todas partes y {b} lo sabe ({g}) 💭",
    ],
    [
        "今天穿的是{b}的{c}{g}，真的太好看了，强烈推荐给大家✨",
        "{p}的周末，穿上新买的{c}{g}去喝咖啡☕",
        "{b}新款{g}到货啦，{c}特别显白，姐妹们冲🛍️",
        "今日穿搭：{c}{g}，简单又舒服，适合上班也适合约会",
        "大家觉得这件{g}怎么样？{b}的{c}系列我都想要💭",
    ],
];

/// What follows the sentence in a long caption, with the same places.
pub(super) const STORIES: [&str; 5] = [
    " I have been looking for exactly this {g} since last year and had nearly given up. Then a friend sent me a link, I ordered it at midnight, \
     and it came two days later. The {c} is even better in daylight, it goes with everything I own, and no, I was not paid to say so.",
    " Je cherchais exactement cette pièce depuis l'année dernière et j'avais presque abandonné. Une amie m'a envoyé un lien, j'ai commandé à minuit \
     et le colis est arrivé deux jours après. Le {c} est encore plus beau à la lumière du jour, et non, ce n'est pas une collaboration.",
    " Cercavo proprio questo capo dall'anno scorso e avevo quasi rinunciato. Poi un'amica mi ha mandato un link, l'ho ordinato a mezzanotte \
     ed è arrivato due giorni dopo. Il {c} è ancora più bello alla luce del giorno, e no, non è una collaborazione.",
    " Buscaba justo esta prenda desde el año pasado y casi me había rendido. Una amiga me mandó un enlace, la pedí a medianoche \
     y llegó dos días después. El {c} es todavía más bonito a la luz del día, y no, esto no es una colaboración.",
    "其实这件{g}我从去年就开始找了，逛了很多家店都没有合适的，差一点就放弃了。后来闺蜜半夜给我发了一个链接，我想都没想就下单了，两天以后就收到了。\
     面料很舒服，版型也很正，{c}在阳光下比照片里还要好看，搭配牛仔裤或者小白鞋都可以，上班约会旅行都能穿。再说一遍，不是广告，都是我自己花钱买的，放心冲！",
];

/// Where Weibo posts of travellers are sent from.
pub(super) const REGIONS: [&str; 8] = [
    "江苏",
    "云南",
    "海南",
    "北京",
    "上海",
    "日本",
    "法国",
    "意大利",
];

/// Hashtags that any post may carry, by language column.
pub(super) const TAGS: [[&str; 4]; 5] = [
    ["ootd", "streetwear", "fashion", "style"],
    ["ootd", "modefemme", "lookdujour", "fashion"],
    ["ootd", "moda", "stileitaliano", "fashion"],
    ["ootd", "moda", "lookdeldia", "fashion"],
    ["每日穿搭", "时尚", "街拍", "穿搭分享"],
];
