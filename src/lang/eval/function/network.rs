//! Functions on IP ranges.

use super::call::{Call, Function, function};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &[Function] = &[
    function("cidrhost", 2, Some(2), |call| {
        let net = range(call)?;
        let size = u32::from(net.max_prefix_len() - net.prefix_len());
        let number = call.whole(1)?;
        let number = if number < 0 {
            let all = if size >= 127 {
                u128::MAX
            } else {
                1u128 << size
            };
            all.checked_sub(u128::from(number.unsigned_abs()))
        } else {
            u128::try_from(number).ok()
        };
        let number = number.filter(|number| size >= 128 || number >> size == 0);
        let number = number.ok_or_else(|| format!("{net} has no host of that number"))?;
        Ok(address(net, bits(net.network()) | number)
            .to_string()
            .into())
    }),
    function("cidrnetmask", 1, Some(1), |call| {
        Ok(range(call)?.netmask().to_string().into())
    }),
    function("cidrsubnet", 3, Some(3), |call| {
        let net = range(call)?;
        let more = u8::try_from(call.whole(1)?).ok();
        let length = more.and_then(|more| net.prefix_len().checked_add(more));
        let length = length.filter(|length| *length <= net.max_prefix_len());
        let length = length.ok_or_else(|| format!("{net} has not that many bits left"))?;
        let number = u128::try_from(call.whole(2)?).ok();
        let width = u32::from(length - net.prefix_len());
        let number = number.filter(|number| width >= 128 || number >> width == 0);
        let number = number.ok_or_else(|| format!("argument 3 does not fit into {width} bits"))?;
        let shift = u32::from(net.max_prefix_len() - length);
        let bits = bits(net.network()) | number.checked_shl(shift).unwrap_or(0);
        subnet(address(net, bits), length).map(|net| net.to_string().into())
    }),
];

fn range(call: &Call<'_>) -> Result<IpNet, String> {
    let text = call.text(0)?;
    text.parse::<IpNet>()
        .map(|net| net.trunc())
        .map_err(|_| format!("{text:?} is not an IP range such as 10.0.0.0/16"))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address(net: IpNet, bits: u128) -> IpAddr {
    match net {
        IpNet::V4(_) => {
            let bits = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or(u32::MAX);
            IpAddr::V4(Ipv4Addr::from_bits(bits))
        }
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

fn subnet(address: IpAddr, length: u8) -> Result<IpNet, String> {
    let made = match address {
        IpAddr::V4(address) => Ipv4Net::new(address, length).map(IpNet::V4),
        IpAddr::V6(address) => Ipv6Net::new(address, length).map(IpNet::V6),
    };
    made.map_err(|error| error.to_string())
}
