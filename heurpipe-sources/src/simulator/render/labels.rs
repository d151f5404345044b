//! The vocabulary of rendered pictures: cuts, colours, patterns and backgrounds.

/// Declares a closed vocabulary: an enum, the list of all its values, and the word each one is written as.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The lower-case word that labels, captions' ground truth and `labels.csv` use.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value written as `label`, if there is one.
            pub fn from_label(label: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.label() == label)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.label())
            }
        }
    };
}

vocabulary! {
    /// What kind of garment a picture shows.
    Cut {
        /// Short sleeves, no collar.
        TShirt => "t-shirt",
        /// Two long legs.
        Pants => "pants",
        /// Long sleeves, no collar.
        Longsleeve => "longsleeve",
        /// A pair of sneakers, boots, pumps or loafers.
        Shoes => "shoes",
        /// Bodice and skirt in one.
        Dress => "dress",
        /// Collar and buttons.
        Shirt => "shirt",
        /// Coats, parkas, quilted and tailored jackets.
        Outwear => "outwear",
        /// Two short legs.
        Shorts => "shorts",
        /// Caps, beanies, bucket hats and brimmed hats.
        Hat => "hat",
        /// From waist to hem, without legs.
        Skirt => "skirt",
    }
}

vocabulary! {
    /// How the cloth is patterned.
    Pattern {
        /// One colour.
        Solid => "solid",
        /// Parallel bands.
        Striped => "striped",
        /// Round dots on a ground.
        Dotted => "dotted",
        /// Gingham, chessboard or window-pane.
        Checkered => "checkered",
        /// Scattered blossoms with leaves.
        Floral => "floral",
        /// Chevrons.
        Zigzag => "zigzag",
    }
}

vocabulary! {
    /// The palette. Pictures use a colour near the named centre, never exactly the same one.
    Colour {
        /// Black.
        Black => "black",
        /// White.
        White => "white",
        /// Grey.
        Grey => "grey",
        /// Red.
        Red => "red",
        /// Pink.
        Pink => "pink",
        /// Orange.
        Orange => "orange",
        /// Yellow.
        Yellow => "yellow",
        /// Green.
        Green => "green",
        /// Teal.
        Teal => "teal",
        /// Blue.
        Blue => "blue",
        /// Navy.
        Navy => "navy",
        /// Purple.
        Purple => "purple",
        /// Brown.
        Brown => "brown",
        /// Beige.
        Beige => "beige",
    }
}

vocabulary! {
    /// What the garment lies on or hangs before.
    Background {
        /// A plain wall.
        Wall => "wall",
        /// A studio gradient.
        Gradient => "gradient",
        /// Floor boards.
        Wood => "wood",
        /// A crumpled bed-sheet.
        Bedsheet => "bedsheet",
        /// A street out of focus.
        Street => "street",
        /// A knotted carpet.
        Carpet => "carpet",
    }
}

impl Colour {
    /// The centre of the named colour in sRGB, 0 to 255.
    pub fn centre(self) -> [f32; 3] {
        match self {
            Self::Black => [30.0, 29.0, 31.0],
            Self::White => [243.0, 243.0, 240.0],
            Self::Grey => [138.0, 138.0, 140.0],
            Self::Red => [200.0, 30.0, 38.0],
            Self::Pink => [243.0, 150.0, 182.0],
            Self::Orange => [238.0, 124.0, 28.0],
            Self::Yellow => [246.0, 210.0, 50.0],
            Self::Green => [52.0, 140.0, 62.0],
            Self::Teal => [18.0, 136.0, 138.0],
            Self::Blue => [44.0, 104.0, 212.0],
            Self::Navy => [26.0, 36.0, 84.0],
            Self::Purple => [122.0, 58.0, 158.0],
            Self::Brown => [116.0, 72.0, 40.0],
            Self::Beige => [218.0, 196.0, 158.0],
        }
    }

    /// Whether two colours are far enough apart for a pattern made of them to be seen.
    pub fn contrasts_with(self, other: Self) -> bool {
        distance(self.centre(), other.centre()) > 125.0
    }
}

/// Distance of two sRGB colours, weighted roughly as the eye does.
pub(crate) fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let [red, green, blue] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    (0.9 * red * red + 1.5 * green * green + 0.6 * blue * blue).sqrt()
}
