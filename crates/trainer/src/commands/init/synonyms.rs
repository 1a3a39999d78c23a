//! What people call their columns.

/// Names of a column, by our name for it. They are compared without case and without what stands between words.
pub(super) const LOG: [(&str, &[&str]); 7] = [
    (
        "user_id",
        &[
            "user_id",
            "user",
            "uid",
            "userid",
            "user_no",
            "customer_id",
            "customer",
            "client_id",
            "client",
            "member_id",
            "member",
            "visitor_id",
            "visitor",
            "account_id",
            "account",
            "buyer_id",
            "buyer",
            "reviewer_id",
            "reviewer",
            "profile_id",
            "person_id",
            "用户",
            "用户id",
            "用户编号",
            "用户标识",
            "会员",
            "会员id",
            "会员编号",
            "客户",
            "客户id",
            "客户编号",
            "顾客",
            "买家",
            "买家id",
            "访客",
            "访客id",
        ],
    ),
    (
        "item_id",
        &[
            "item_id",
            "item",
            "iid",
            "itemid",
            "item_no",
            "product_id",
            "product",
            "sku",
            "sku_id",
            "asin",
            "parent_asin",
            "article_id",
            "article",
            "movie_id",
            "movie",
            "film_id",
            "video_id",
            "video",
            "song_id",
            "song",
            "track_id",
            "track",
            "artist_id",
            "book_id",
            "book",
            "isbn",
            "poi",
            "poi_id",
            "venue_id",
            "venue",
            "business_id",
            "listing_id",
            "hotel_id",
            "goods_id",
            "content_id",
            "news_id",
            "doc_id",
            "ad_id",
            "game_id",
            "商品",
            "商品id",
            "商品编号",
            "物品",
            "物品id",
            "物品编号",
            "产品",
            "产品id",
            "内容",
            "内容id",
            "电影",
            "电影id",
            "视频",
            "视频id",
            "文章",
            "文章id",
            "歌曲",
            "歌曲id",
            "书籍",
            "书籍id",
        ],
    ),
    (
        "timestamp",
        &[
            "timestamp",
            "ts",
            "time",
            "datetime",
            "date_time",
            "date",
            "event_time",
            "event_timestamp",
            "created_at",
            "created",
            "unix_time",
            "unixtime",
            "unix_timestamp",
            "time_stamp",
            "when",
            "occurred_at",
            "event_date",
            "order_date",
            "invoice_date",
            "review_time",
            "unix_review_time",
            "时间",
            "时间戳",
            "日期",
            "发生时间",
            "事件时间",
            "创建时间",
            "行为时间",
            "下单时间",
        ],
    ),
    (
        "event",
        &[
            "event",
            "event_type",
            "event_name",
            "action",
            "action_type",
            "behavior",
            "behaviour",
            "behavior_type",
            "behaviour_type",
            "interaction",
            "interaction_type",
            "activity",
            "feedback_type",
            "行为",
            "行为类型",
            "事件",
            "事件类型",
            "动作",
            "操作",
        ],
    ),
    (
        "value",
        &[
            "value",
            "rating",
            "ratings",
            "score",
            "stars",
            "overall",
            "grade",
            "weight",
            "play_count",
            "plays",
            "watch_ratio",
            "评分",
            "打分",
            "分数",
            "得分",
            "星级",
            "评级",
        ],
    ),
    (
        "session_id",
        &[
            "session_id",
            "session",
            "sessionid",
            "visit_id",
            "user_session",
            "会话",
            "会话id",
            "会话编号",
        ],
    ),
    ("dwell_ms", &["dwell_ms", "dwell_millis", "停留毫秒"]),
];

/// As [`LOG`], for items.
pub(super) const ITEMS: [(&str, &[&str]); 7] = [
    ("item_id", LOG[1].1),
    (
        "title",
        &[
            "title",
            "name",
            "item_name",
            "product_name",
            "movie_title",
            "movie_name",
            "headline",
            "标题",
            "名称",
            "商品名称",
            "商品名",
            "电影名",
            "片名",
            "书名",
        ],
    ),
    (
        "category",
        &[
            "category",
            "categories",
            "genre",
            "genres",
            "category_id",
            "category_name",
            "category_code",
            "product_type",
            "topic",
            "topics",
            "tags",
            "department",
            "section",
            "subject",
            "kind",
            "type",
            "item_type",
            "class",
            "group",
            "product_group",
            "collection",
            "rubric",
            "aisle",
            "类别",
            "分类",
            "类目",
            "商品类别",
            "标签",
            "类型",
        ],
    ),
    ("price", &["price", "unit_price", "cost", "价格", "单价"]),
    (
        "published_at",
        &[
            "published_at",
            "published",
            "publish_time",
            "publish_date",
            "publication_date",
            "pubdate",
            "release_date",
            "released",
            "released_at",
            "发布时间",
            "上架时间",
            "上映日期",
            "出版日期",
        ],
    ),
    ("latitude", &["latitude", "lat", "纬度"]),
    ("longitude", &["longitude", "lon", "lng", "经度"]),
];

/// As [`LOG`], for users.
pub(super) const USERS: [(&str, &[&str]); 1] = [("user_id", LOG[0].1)];

/// Events that say no.
pub(super) const NEGATIVE_EVENTS: [&str; 14] = [
    "reject",
    "skip",
    "dislike",
    "unlike",
    "impression",
    "exposure",
    "remove",
    "remove_from_cart",
    "hide",
    "曝光",
    "不喜欢",
    "跳过",
    "不感兴趣",
    "拒绝",
];

/// A name without case and without what stands between its words.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a name: `shopUser_id` is `shop`, `user`, `id`. What has no case, as Chinese, is one word with what
/// follows it.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let begins = !letter.is_alphanumeric() || (was_lower && letter.is_uppercase());
        if begins {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            let last = words.len() - 1;
            words[last].extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A column's name, taken apart once: a file may have very many columns.
pub(super) struct Name {
    plain: String,
    /// Its first and its last words, each put together, but not all of them.
    ends: Vec<String>,
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        let words = words(name);
        let cuts = 1..words.len();
        Self {
            plain: plain(name),
            ends: cuts
                .flat_map(|cut| [words[cut..].concat(), words[..cut].concat()])
                .collect(),
        }
    }
}

/// How well a column's name fits, and to which of the `synonyms`, which are [`plain`]: 2 exactly, 1 where its first or
/// its last words do, 0 not.
pub(super) fn fits(name: &Name, synonyms: &[String]) -> (u8, Option<usize>) {
    let exact = synonyms.iter().position(|wanted| *wanted == name.plain);
    if exact.is_some() {
        return (2, exact);
    }
    let is_like = |wanted: &String| {
        let is_chinese = !wanted.is_ascii() && wanted.chars().nth(1).is_some();
        name.ends.contains(wanted)
            || (is_chinese && (name.plain.starts_with(wanted) || name.plain.ends_with(wanted)))
    };
    (u8::from(synonyms.iter().any(is_like)), None)
}

/// Whether a name is one for times, or ends in one, as `order_date` does. `created_by` does not.
pub(super) fn says_time(name: &str) -> bool {
    let times: Vec<String> = LOG[2].1.iter().map(|synonym| plain(synonym)).collect();
    let words = words(name);
    let is_chinese = |wanted: &String| !wanted.is_ascii() && plain(name).ends_with(wanted.as_str());
    (0..words.len()).any(|cut| times.contains(&words[cut..].concat())) || times.iter().any(is_chinese)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_ends_in_a_time_says_one() {
        for name in ["order_time", "Date", "shippedDate", "下单日期"] {
            assert!(says_time(name), "{name}");
        }
        for name in ["candidate", "runtime", "created_by", "user_id"] {
            assert!(!says_time(name), "{name}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_separators() {
        let fits = |name: &str, synonyms: &[&str]| {
            let synonyms: Vec<String> = synonyms.iter().map(|synonym| plain(synonym)).collect();
            super::fits(&Name::of(name), &synonyms).0
        };
        let (users, items) = (LOG[0].1, LOG[1].1);
        for name in ["USER_ID", "UserID", "user-id", "User Id", "用户ID", "用户 编号"] {
            assert_eq!(fits(name, users), 2, "{name}");
        }
        assert_eq!(fits("movieId", items), 2);
        assert_eq!(fits("shop_user_id", users), 1);
        assert_eq!(fits("colour", users), 0);
        assert_eq!(
            fits("guid", users),
            0,
            "a word of three letters inside another is chance"
        );
    }
}
