//! The example `llm`, read by OpenAI's SDKs.

use crate::example_process::Example;
use crate::{Read, read_from};

async fn reads_the_answer(interpreter: &str, script: &str) {
    let example = Example::start("llm", &[]);
    let base = format!("http://{}", example.authority);
    let reads = read_from(interpreter, script, vec![base]).await;
    let [Read::Got(tokens)] = &reads[..] else {
        panic!("{reads:?}");
    };
    assert!(tokens.len() > 10, "{tokens:?}");
    let answer = "You asked: Hi\nA model would now answer that, a token at a time.";
    assert_eq!(tokens.concat(), answer);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs and the example"]
async fn openai_for_python_reads_it() {
    reads_the_answer("python3", "openai_sdk.py").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs and the example"]
async fn openai_for_node_reads_it() {
    reads_the_answer("node", "openai_sdk.mjs").await;
}
