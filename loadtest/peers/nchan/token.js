// Checks the HS256 token of an upgrade and answers whose events it may have: the channel's id.
import crypto from "crypto";

function company(request) {
  try {
    const parts = request.headersIn.Authorization.replace("Bearer ", "").split(".");
    const sign = crypto.createHmac("sha256", process.env.JWT_SECRET);
    if (sign.update(`${parts[0]}.${parts[1]}`).digest("base64url") !== parts[2]) {
      return "";
    }
    const header = JSON.parse(Buffer.from(parts[0], "base64url").toString());
    const claims = JSON.parse(Buffer.from(parts[1], "base64url").toString());
    const valid = header.alg === "HS256" && claims.exp > Date.now() / 1000;
    return valid ? claims.companyId : "";
  } catch (error) {
    return "";
  }
}

function check(request) {
  const name = company(request);
  request.headersOut.Company = name;
  request.return(name === "" ? 401 : 204);
}

export default { check };
