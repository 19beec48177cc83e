//! The words of the names.

/// Third from the end and before.
#[rustfmt::skip]
pub const ADVERBS: &[&str] = &[
    "ably", "airily", "always", "amply", "aptly", "ardently", "blithely", "boldly", "bravely",
    "brightly", "briskly", "calmly", "candidly", "clearly", "cleverly", "closely", "daily",
    "dearly", "deeply", "deftly", "duly", "eagerly", "early", "easily", "evenly", "fairly",
    "finely", "firmly", "fondly", "forever", "frankly", "freely", "freshly", "fully", "gaily",
    "gently", "gladly", "greatly", "happily", "hardly", "highly", "jointly", "justly", "keenly",
    "kindly", "largely", "lately", "lightly", "lively", "loudly", "mainly", "mildly", "mostly",
    "nearly", "neatly", "newly", "nicely", "nightly", "nobly", "often", "openly", "partly",
    "plainly", "politely", "promptly", "proudly", "purely", "quickly", "quietly", "rarely",
    "readily", "really", "richly", "rightly", "safely", "seldom", "sharply", "shortly",
    "simply", "slowly", "smoothly", "softly", "solely", "soundly", "steadily", "subtly",
    "surely", "swiftly", "tenderly", "tidily", "truly", "usually", "vastly", "warmly", "weekly",
    "widely", "wisely", "yearly",
];

/// Second from the end.
#[rustfmt::skip]
pub const ADJECTIVES: &[&str] = &[
    "able", "agile", "airy", "alert", "amber", "ample", "ancient", "apt", "ardent", "balmy",
    "blithe", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid", "careful",
    "cheery", "clear", "clever", "cosy", "crisp", "curious", "daring", "dashing", "deft",
    "dewy", "eager", "early", "earnest", "easy", "even", "fabled", "fair", "fancy", "fearless",
    "fine", "firm", "fleet", "fluent", "fond", "frank", "free", "fresh", "frosty", "gallant",
    "gentle", "giddy", "glad", "gleaming", "golden", "graceful", "grand", "happy", "hardy",
    "hasty", "hearty", "honest", "humble", "icy", "jolly", "keen", "kind", "lanky", "lavish",
    "light", "limber", "lively", "lofty", "loyal", "lucid", "lucky", "lunar", "mellow", "merry",
    "mighty", "mild", "misty", "modest", "neat", "nimble", "noble", "novel", "open", "patient",
    "placid", "playful", "plucky", "polite", "prime", "proud", "quick", "quiet", "rapid",
    "ready", "robust", "rosy", "rustic", "sage", "serene", "sharp", "shiny", "silent", "silver",
    "sleek", "smart", "snowy", "sober", "solar", "solid", "spry", "steady", "stout", "sturdy",
    "subtle", "sunny", "supple", "sure", "swift", "tender", "thrifty", "tidy", "tough",
    "tranquil", "trim", "true", "trusty", "upbeat", "vast", "velvet", "vivid", "warm", "wary",
    "willing", "wily", "windy", "wise", "witty", "young", "zesty",
];

/// The last word.
#[rustfmt::skip]
pub const ANIMALS: &[&str] = &[
    "adder", "albatross", "alpaca", "ant", "antelope", "badger", "barracuda", "bat", "bear",
    "beaver", "bee", "beetle", "bison", "boar", "bobcat", "buffalo", "bullfinch", "butterfly",
    "camel", "capybara", "caribou", "cat", "caterpillar", "chameleon", "chamois", "cheetah",
    "chipmunk", "clam", "cobra", "cod", "condor", "coral", "cormorant", "coyote", "crab",
    "crane", "cricket", "crow", "cuckoo", "curlew", "deer", "dingo", "dolphin", "donkey",
    "dove", "dragonfly", "duck", "eagle", "eel", "egret", "elk", "emu", "ermine", "falcon",
    "ferret", "finch", "firefly", "flamingo", "fox", "frog", "gazelle", "gecko", "gibbon",
    "goat", "goose", "gopher", "grouse", "gull", "hamster", "hare", "hawk", "hedgehog", "heron",
    "herring", "hippo", "hornet", "horse", "hummingbird", "ibex", "ibis", "iguana", "impala",
    "jackal", "jackdaw", "jaguar", "jay", "kestrel", "kingfisher", "kiwi", "koala", "krill",
    "lark", "lemming", "lemur", "leopard", "lion", "lizard", "llama", "lobster", "lynx",
    "magpie", "mallard", "manatee", "marmot", "marten", "meerkat", "mink", "mole", "mongoose",
    "moose", "moth", "mouse", "mule", "muskrat", "newt", "nightjar", "ocelot", "octopus",
    "okapi", "opossum", "oriole", "osprey", "ostrich", "otter", "owl", "ox", "oyster", "panda",
    "panther", "parrot", "partridge", "peacock", "pelican", "penguin", "pheasant", "pigeon",
    "pika", "plover", "pony", "porcupine", "puffin", "puma", "quail", "rabbit", "raccoon",
    "ram", "raven", "robin", "rook", "salmon", "sandpiper", "seal", "shark", "sheep", "shrew",
    "shrimp", "skylark", "sloth", "snail", "snipe", "sparrow", "spider", "squid", "squirrel",
    "stag", "starling", "stoat", "stork", "sturgeon", "swallow", "swan", "swift", "tapir",
    "tern", "thrush", "tiger", "toad", "tortoise", "trout", "turtle", "viper", "vole", "walrus",
    "warbler", "wasp", "weasel", "whale", "wombat", "woodpecker", "wren", "yak", "zebra",
];
