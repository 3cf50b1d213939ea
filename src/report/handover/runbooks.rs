//! Part 10: the runbooks, from the page that `launchready explain runbooks` prints.

use super::Block;

const PAGE: &str = include_str!("../../../docs/runbooks.md");

pub(super) fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut items = Vec::new();
    let runbooks = PAGE.lines().skip_while(|line| !line.starts_with("## "));
    for line in runbooks {
        if let Some(item) = line.strip_prefix("- ") {
            items.push(item.to_owned());
            continue;
        }
        if !items.is_empty() {
            blocks.push(Block::Items(std::mem::take(&mut items)));
        }
        if let Some(title) = line.strip_prefix("## ") {
            blocks.push(Block::Title(title.to_owned()));
        } else if !line.is_empty() {
            blocks.push(Block::Words(line.to_owned()));
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runbook_says_what_to_do_whom_to_tell_what_customers_read_and_when_it_is_over() {
        let blocks = blocks();
        let starts: Vec<usize> =
            (0..blocks.len()).filter(|index| matches!(blocks[*index], Block::Title(_))).collect();
        assert_eq!(starts.len(), 9);
        for (number, start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied().unwrap_or(blocks.len());
            let [
                Block::Title(title),
                Block::Items(steps),
                Block::Words(tell),
                Block::Words(read),
                Block::Words(over),
            ] = &blocks[*start..end]
            else {
                panic!("{:?}", &blocks[*start..end]);
            };
            assert!(steps.len() >= 4, "{title}");
            assert!(tell.starts_with("Tell: "), "{title}");
            assert!(read.starts_with("Customers read: "), "{title}");
            assert!(over.starts_with("It is over when: "), "{title}");
        }
    }
}
